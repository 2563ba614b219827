import { type PageOutcome, putIntoLive } from '../backup/into-live.ts'
import type { Json } from '../codec/json.ts'
import type { ImportedAppend } from '../commands/import.ts'
import type { Call, Outcome } from './command.ts'
import { AS_ROOT, withSite } from './open.ts'
import { type BlobSource, putBlobs } from './put-blobs.ts'
import { withSteps } from './steps.ts'

/** A backup, or the part of it that was asked for, of whichever format. */
export interface LivePart {
  readonly appends: readonly ImportedAppend[]
  readonly blobs: readonly BlobSource[]
  /** What the note of each revision says it comes from. */
  readonly note: string
}

/** Brings pages of a backup into a site in use, or lists what that would do. */
export async function loadIntoLive(call: Call, dir: string, part: LivePart): Promise<Outcome> {
  const started = Date.now()
  const dryRun = call.flag('dry-run')
  const author = { ...AS_ROOT, door: 'import', note: part.note } as const
  const outcomes = await withSite(call, (site, config) =>
    withSteps(call, onProgress =>
      putIntoLive(site, author, part.appends, {
        ...{ dryRun, onProgress, signal: call.signal },
        bringBlobs: wanted => {
          const blobs = part.blobs.filter(({ sha256 }) => wanted.has(sha256))
          return putBlobs(call, config, { dir, blobs })
        },
      }),
    ),
  )
  const counts = countsOf(outcomes)
  const listed = outcomes.filter(({ did }) => did !== 'same')
  const data = { loaded: !dryRun, dryRun, dir, counts, pages: listed, ms: Date.now() - started }
  return { text: textOf(dryRun, counts, listed), data: data as unknown as Json }
}

type LiveCounts = Record<PageOutcome['did'], number>

function countsOf(outcomes: readonly PageOutcome[]): LiveCounts {
  const counts: LiveCounts = {
    ...{ revised: 0, undeleted: 0, imported: 0, files: 0, same: 0, conflict: 0 },
  }
  for (const { did } of outcomes) counts[did]++
  return counts
}

const SENTENCES: Readonly<Record<PageOutcome['did'], string>> = {
  revised: 'a new revision',
  undeleted: 'comes back from being deleted',
  imported: 'comes in with its history',
  files: 'files are attached',
  same: 'is the same',
  conflict: 'CONFLICT',
}

const REASONS: Readonly<Record<NonNullable<PageOutcome['reason']>, string>> = {
  'path taken': 'another page is there now; move that one, and load again',
  'published since': 'the backup has a draft of it, and it was published since',
}

function textOf(dryRun: boolean, counts: LiveCounts, listed: readonly PageOutcome[]): string {
  const { revised, undeleted, imported, files, same, conflict } = counts
  return [
    ...listed.map(({ path, did, reason, at, files: names }) => {
      const why = reason === undefined ? '' : `: ${REASONS[reason]}`
      const where = at === undefined ? '' : `, which is at ${at} now`
      const attached = names.length === 0 ? '' : ` (${names.join(', ')})`
      return `  ${path}${where}: ${SENTENCES[did]}${why}${attached}`
    }),
    `${dryRun ? 'Dry run, nothing was changed' : 'Done'}: ${revised} revised, ${undeleted} undeleted, ${imported} imported, ${files} with files alone, ${same} the same, ${conflict} conflicts.`,
  ].join('\n')
}
