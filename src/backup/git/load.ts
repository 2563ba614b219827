import { findAccountByEmail } from '../../../projections/accounts.ts'
import { findIdAtPath, listUnder } from '../../../projections/pages.ts'
import type { BlobStores } from '../../blobs/store.ts'
import type { Site } from '../../commands/change.ts'
import { type ImportedSite, importStream } from '../../commands/import.ts'
import { importIntoLive, type LiveImport } from '../../commands/import-live.ts'
import { parsePath, USERS_PATH } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { readHead, readStream } from '../../log/read.ts'
import type { Commit } from './commits.ts'
import { GitContents, type GitWarning } from './git-contents.ts'
import { LeftOut } from './left-out.ts'
import { readOrder } from './order.ts'
import { type Replay, replayHistory } from './replay.ts'
import { openRepository } from './repository.ts'

/** What is to be loaded, and how. */
export interface GitLoad {
  /** A work tree, a bare repository or a bundle. */
  readonly source: string
  /** What to read of it; null for HEAD. */
  readonly ref?: string | null
  /** Only the files of a folder, as if it were the topmost; '' for all. */
  readonly subdir?: string
  /** Only the main line: each merge is one revision, by whoever merged. */
  readonly firstParent?: boolean
  /** Where the topmost folder goes; null for the site's front page. */
  readonly atPath?: string | null
  /** Where attachments are kept; null with `dryRun`. */
  readonly stores: BlobStores | null
  readonly dryRun?: boolean
  readonly signal?: AbortSignal | undefined
  /** Told the commits read so far, then the events proved. */
  readonly onProgress?: (step: 'commits' | 'proving', done: number, total: number) => void
}

/** What was loaded. */
export interface GitLoaded {
  readonly ref: string
  readonly commit: string
  readonly commits: number
  readonly path: string
  readonly done: ImportedSite | LiveImport
  readonly warnings: readonly GitWarning[]
  readonly warningCount: number
  /** Files that are neither pages nor attachments, by kind. */
  readonly leftOut: Readonly<Record<string, number>>
}

/** Pages of the site that are looked at for free paths. */
const PAGES_MAX = 100_000
const FRONT_PAGE = 'wh'

/**
 * Loads a history of Markdown, HTML and text files: pages with one revision for each commit. Into an empty site at the times it
 * happened; else as new pages at `atPath`, or what is new of a history that was loaded there before. All of it or nothing.
 *
 * @throws SOURCE_NOT_FOUND, SOURCE_DAMAGED, PROGRAM_MISSING, SITE_NOT_EMPTY, PATH_TAKEN, PATH_INVALID, DISK_FULL
 */
export async function loadGit(site: Site, load: GitLoad): Promise<GitLoaded> {
  const { signal, stores, onProgress = () => {}, dryRun = false } = load
  const base = parsePath(load.atPath ?? FRONT_PAGE)
  const wanted = { subdir: subdirOf(load), firstParent: load.firstParent ?? false }
  const isEmpty = (await readHead(site.db)).position === 0
  if (!isEmpty) await demandOurs(site, base, load.atPath == null)
  const repository = await openRepository(load.source, { ref: load.ref ?? null, signal })
  const contents = new GitContents(repository, dryRun ? null : stores)
  try {
    const order = await readOrder(repository, wanted)
    const commits = order.ids.length
    const taken = isEmpty ? new Set<string>() : await foreignPaths(site, base)
    const leftOut = new LeftOut()
    let done = 0
    const onCommit = (commit: Commit) => {
      leftOut.note(commit)
      onProgress('commits', ++done, commits)
    }
    const people: Replay['people'] = {
      findUser: async email =>
        isEmpty ? null : ((await findAccountByEmail(site.db, email))?.id ?? null),
      isTaken: path => taken.has(path),
    }
    const now = site.now()
    const appends = replayHistory({
      restores: isEmpty,
      readText: (file, blob) => contents.wholeText(file, blob),
      ...{ repository, order, wanted, base, contents, people },
      now,
      signal,
      onCommit,
    })
    const options = {
      ...(signal && { signal }),
      dryRun,
      onProgress: (step: string, proved: number, total: number) => {
        if (step === 'proving') onProgress('proving', proved, total)
      },
    }
    const loaded = isEmpty
      ? await importStream(site, { appends, secrets: [] }, options)
      : await importIntoLive(site, appends, options)
    const { head: commit, ref } = repository
    const { warnings, warningCount } = contents
    return {
      ref,
      commit,
      commits,
      path: base,
      done: loaded,
      warnings,
      warningCount,
      leftOut: leftOut.counts,
    }
  } finally {
    await contents.close()
    await repository.close()
  }
}

/** @throws REQUEST_INVALID when it is no folder's name */
function subdirOf({ subdir = '' }: GitLoad): string {
  const parts = subdir.split('/').filter(part => part !== '' && part !== '.')
  if (!parts.includes('..')) return parts.join('/')
  throw new Rm3Error('REQUEST_INVALID', `${subdir} is not a folder of the repository`, { subdir })
}

/** What is at the path must have come from a history, or nothing be there. */
async function demandOurs(site: Site, base: string, isFront: boolean): Promise<void> {
  const id = await findIdAtPath(site.db, base)
  if (id === null ? !isFront : await isFromGit(site, id)) return
  if (!isFront) throw new Rm3Error('PATH_TAKEN', `another page is at ${base}`, { path: base })
  throw new Rm3Error(
    'SITE_NOT_EMPTY',
    'the site has content already; name a path for the history with --at-path, or load into an empty site: set RM3_SITE to a new name',
  )
}

async function isFromGit(site: Site, id: string): Promise<boolean> {
  const [first] = await readStream(site.db, id, { from: 1, to: 1 })
  const meta = JSON.parse(first?.meta ?? '{}') as { import?: { from?: string } }
  return meta.import?.from === 'git'
}

/** Paths of pages at and below the base, and of users, that did not come from a history. */
async function foreignPaths(site: Site, base: string): Promise<Set<string>> {
  const paths = new Set<string>()
  for (const top of [base, USERS_PATH]) {
    for (const { id, path } of await listUnder(site.db, top, PAGES_MAX)) {
      if (!(await isFromGit(site, id))) paths.add(path)
    }
  }
  return paths
}
