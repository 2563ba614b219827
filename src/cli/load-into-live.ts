import { uuidv7 } from 'uuidv7'
import { type Beside, blobsIn } from '../backup/beside.ts'
import { type LiveSite, type PutIntoLive, putIntoLive } from '../backup/into-live.ts'
import type { PageOutcome } from '../backup/put-page.ts'
import type { Json, JsonObject } from '../codec/json.ts'
import type { ImportedAppend } from '../commands/import.ts'
import type { Config } from '../config.ts'
import { Rm3Error } from '../errors.ts'
import type { Call, Option, Outcome } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { importLines } from './import-lines.ts'
import { AS_ROOT, openStores, withDatabase, withOpenSite } from './open.ts'
import { withSteps } from './steps.ts'

/** Options of `rm3load` for a site in use. */
export const LIVE_OPTIONS: Readonly<Record<string, Option>> = {
  'into-live': {
    summary:
      'with -d or --archive: into a site in use: pages get new revisions, come back, or come in with their history; nothing is deleted',
  },
  'skip-conflicts': {
    summary: 'with --into-live: brings in the others when some pages cannot be, and ends with 0',
  },
}

/** A backup, or the part of it that was asked for, of whichever format. */
export interface LivePart {
  readonly appends: readonly ImportedAppend[]
  readonly beside: Beside
  /** What the note of each revision says it comes from. */
  readonly note: string
  /** What `--json` says of where it is. */
  readonly told: JsonObject
}

/**
 * Brings pages of a backup into a site in use, or lists what that would do.
 *
 * @returns exit code 14 when pages are in the way: nothing was done then, but for `--skip-conflicts`, or when they came into it between two transactions
 */
export async function loadIntoLive(call: Call, part: LivePart): Promise<Outcome> {
  if (call.flag('nohistory')) {
    throw new Rm3Error('USAGE', '--nohistory does not go with --into-live')
  }
  const started = Date.now()
  const { signal } = call
  const dryRun = call.flag('dry-run')
  const skipConflicts = call.flag('skip-conflicts')
  const meta = { importId: uuidv7() }
  const author = { ...AS_ROOT, door: 'import', note: part.note, meta } as const
  const { pages, position } = await withLive(call, (live, config) =>
    withSteps(call, onProgress =>
      putIntoLive(live, author, part.appends, {
        ...{ dryRun, skipConflicts, onProgress, signal },
        bringBlobs: async attached => {
          const all = blobsIn(part.appends.flatMap(({ events }) => events))
          const wanted = new Map([...all].filter(([sha256]) => attached.has(sha256)))
          const onFile = (done: number, total: number) => onProgress('files', done, total)
          await part.beside.putBlobs(wanted, await openStores(config), {
            signal,
            onProgress: onFile,
          })
        },
      }),
    ),
  )
  const counts = countsOf(pages)
  const isInTheWay = counts.conflict > 0 && !skipConflicts
  const isRefused = isInTheWay && position === null
  const listed = pages.filter(({ did }) => did !== 'same')
  const loaded = !dryRun && !isRefused
  const importId = position === null ? null : meta.importId
  const ms = Date.now() - started
  const data = { loaded, dryRun, ...part.told, counts, pages: listed, importId, ms }
  const last = lastLine({ dryRun, isRefused }, counts)
  const text = [...listed.map(lineOf), last, ...importLines(importId)].join('\n')
  return {
    ...{ text, data: data as unknown as Json },
    ...(isInTheWay && { exitCode: EXIT.targetExists }),
  }
}

/** Works on the site in use; processes that serve it hear of what was written. */
function withLive(
  call: Call,
  work: (live: LiveSite, config: Config) => Promise<PutIntoLive>,
): Promise<PutIntoLive> {
  return withDatabase(call, (database, config) =>
    withOpenSite(call, database, config, async ({ site, projections, wakeups }) => {
      const done = await work(
        { site, projections, database: { url: database.url, site: config.site } },
        config,
      )
      if (done.position !== null) wakeups.appended(done.position)
      return done
    }),
  )
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
  'erased since': 'what the backup has of it was erased here',
}

function lineOf({ path, did, reason, at, files }: PageOutcome): string {
  const why = reason === undefined ? '' : `: ${REASONS[reason]}`
  const where = at === undefined ? '' : `, which is at ${at} now`
  const attached = files.length === 0 ? '' : ` (${files.join(', ')})`
  return `  ${path}${where}: ${SENTENCES[did]}${why}${attached}`
}

function lastLine(
  { dryRun, isRefused }: { dryRun: boolean; isRefused: boolean },
  { revised, undeleted, imported, files, same, conflict }: LiveCounts,
): string {
  const counts = `${revised} revised, ${undeleted} undeleted, ${imported} imported, ${files} with files alone, ${same} the same`
  const conflicts = `${conflict} ${conflict === 1 ? 'conflict' : 'conflicts'}`
  if (dryRun) return `Dry run, nothing was changed: ${counts}, ${conflicts}.`
  if (!isRefused) return `Done: ${counts}, ${conflicts}.`
  return `Nothing was changed, because of ${conflicts}. --skip-conflicts does the rest: ${counts}.`
}
