import type { SiteImport } from '../../commands/import.ts'
import { isUnder } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { appendsOf, presentOf, secretsFor } from '../part.ts'
import type { FileEntry } from './format.ts'
import { besideFolder, filesOf, historyOf } from './load.ts'
import { recordsPlan } from './records-plan.ts'
import type { FolderProof } from './verify.ts'

/** Which part of a backup. */
export interface Part {
  /** Only what ends at that path or below it; the site's grants and settings do not. */
  readonly path: string | null
  /** Without the past: each page as one event. */
  readonly present: boolean
}

/**
 * A part of a backup as events in the order in which they happened, with their ids, authors and times, and as they are read: what was erased
 * is told as erased. They are held in memory.
 *
 * @param proof of the backup in `dir`, which must be whole
 * @throws PAGE_NOT_FOUND when there is nothing at the path
 */
export function planOfFolder(dir: string, { head }: FolderProof, part: Part): SiteImport {
  const files = filesOfPart(dir, part.path)
  const beside = besideFolder(dir)
  if (head?.contents === 'snapshot') {
    const appends = recordsPlan(dir, files, head.recordedAt)
    return { appends, secrets: secretsFor(appends, beside) }
  }
  const appends = appendsOf(eventsIn(dir, files))
  if (part.present) return presentOf(appends, beside)
  return { appends, secrets: secretsFor(appends, beside) }
}

/**
 * The histories of what ends at a path or below it; with null of everything.
 *
 * @throws PAGE_NOT_FOUND when there is nothing at the path
 */
export function eventsOfPart(dir: string, path: string | null): ProvableEvent[] {
  return eventsIn(dir, filesOfPart(dir, path))
}

function eventsIn(dir: string, files: readonly FileEntry[]): ProvableEvent[] {
  return files.flatMap(file => [...historyOf(dir, file)].flat())
}

/**
 * The files of a backup that tell of what ends at a path or below it; with null of everything.
 *
 * @throws PAGE_NOT_FOUND when there is nothing at the path
 */
function filesOfPart(dir: string, path: string | null): FileEntry[] {
  const files = [...filesOf(dir)].filter(file => isWanted(file, path))
  if (path === null || files.length > 0) return files
  throw new Rm3Error('PAGE_NOT_FOUND', `the backup has nothing at or below ${path}`, { path })
}

function isWanted({ kind, path: at = '' }: FileEntry, path: string | null): boolean {
  if (kind === 'blob' || kind === 'credentials') return false
  return path === null || (kind === 'entity' && isUnder(at, path))
}
