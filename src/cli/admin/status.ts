import type { Json } from '../../codec/json.ts'
import { Rm3Error } from '../../errors.ts'
import { backupStandingOf, findBackupStanding, type Standing } from '../../jobs/backup-standing.ts'
import { listWorkers } from '../../jobs/checkpoints.ts'
import { parseEvery } from '../../jobs/cron.ts'
import { discoverWorkers } from '../../jobs/discover.ts'
import { readHead } from '../../log/read.ts'
import type { Db } from '../../pg/db.ts'
import { isPerEntity } from '../../projector/define.ts'
import { discoverProjections } from '../../projector/discover.ts'
import { findRebuildStatus, type RebuildStatus } from '../../projector/rebuild-status.ts'
import { findScrub, type ScrubStatus } from '../../projector/scrub.ts'
import { listStandings, type ProjectionStanding } from '../../projector/standing.ts'
import { sizeInWords } from '../../scheme/words.ts'
import type { Command, Outcome } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { withSite } from '../open.ts'
import { columns } from '../usage.ts'
import { tellOf } from './jobs.ts'

/** `rm3admin status`. */
export const status: Command = {
  name: 'status',
  summary: 'shows the head of the log, the projections and the workers',
  details: `A projection is inline (written with each save, so never behind) or async (it follows: lag is what it has not seen yet).
async ones are building, live, paused or failed; of a failed one the event it cannot apply is shown. Of a rebuild it shows how far it
is, and of the scrub, which compares everything with the log once a week, what it found. With --max-age the exit code is 1 when the last
good scheduled backup is older, or there is none.`,
  options: {
    'max-age': { value: 'SPAN', summary: 'fails when the last good backup is older, as 26h' },
  },
  run: call => {
    const maxAge = call.option('max-age')
    const maxAgeMs = maxAge === null ? null : parseEvery(maxAge)
    if (maxAge !== null && maxAgeMs === null) {
      throw new Rm3Error('USAGE', `--max-age takes a span such as 26h, not "${maxAge}"`)
    }
    return withSite(call, async ({ db, now }, { site, databaseUrl }) => {
      const outcome = await statusOf(db, { site, databaseUrl, folder: call.terminal.cwd })
      if (maxAgeMs === null) return outcome
      const why = staleness(await findBackupStanding(db), Date.parse(now()), maxAgeMs)
      if (why === null) return outcome
      call.say(`${call.name}: ${why}`)
      return { ...outcome, exitCode: EXIT.failed }
    })
  },
}

/** Clocks may differ so much. */
const AHEAD_MAX_HOURS = 0.1

/** Why the last backup will not do; null when it will. */
function staleness({ backup }: Standing, now: number, maxAgeMs: number): string | null {
  if (backup === null) return 'there is no scheduled backup'
  const hours = (now - Date.parse(backup.at)) / 3_600_000
  if (hours < -AHEAD_MAX_HOURS) return `the last backup is of ${backup.at}, which is yet to come`
  if (hours * 3_600_000 <= maxAgeMs) return null
  return `the last good backup is ${hours.toFixed(1)} hours old, of ${backup.at}`
}

async function statusOf(
  db: Db,
  { site, databaseUrl, folder }: { site: string; databaseUrl: string | null; folder: string },
): Promise<Outcome> {
  const { position, chain, epoch, recordedAt, rightsPosition } = await readHead(db)
  const [server] = await db.rows<{ name: string; version: string }>(
    `select current_database()::text as name, current_setting('server_version') as version`,
  )
  const projections = await projectionsOf(db, folder)
  const workers = await listWorkers(db, await discoverWorkers())
  const rebuild = await findRebuildStatus(db)
  const scrub = await findScrub(db)
  const backups = backupStandingOf(workers)
  const database = {
    name: server?.name ?? '',
    version: server?.version ?? '',
    managed: databaseUrl === null,
    host: databaseUrl === null ? null : new URL(databaseUrl).host || null,
  }
  const at = position === 0 ? null : recordedAt
  const head = { position, chain, epoch, recordedAt: at, rightsPosition }
  const text = [
    `Database     ${database.name} (PostgreSQL ${database.version}${database.managed ? ', managed by rm3' : ''}), site ${site}`,
    `Log          position ${position}${at === null ? ', empty' : `, recorded ${at}`}`,
    `             chain ${chain}`,
    `             epoch ${epoch}`,
    'Projections',
    ...columns(projections.map(projection => [projection.name, sentenceOf(projection)])),
    ...(rebuild === null ? [] : [`Rebuild      ${tellOfRebuild(rebuild)}`]),
    ...(scrub === null ? [] : [`Scrub        ${tellOfScrub(scrub)}`]),
    ...tellOfBackups(backups),
    workers.length === 0 ? 'Workers      none has run yet' : 'Workers',
    ...columns(workers.map(worker => [worker.name, tellOf(worker)])),
  ].join('\n')
  const lists = { projections, workers, rebuild, scrub, backups } as unknown as {
    [name: string]: Json
  }
  return { text, data: { database, site, head, ...lists } }
}

function tellOfRebuild(rebuild: RebuildStatus): string {
  const { phase, projections, events, total, secondsLeft, ended } = rebuild
  const names = projections.join(', ')
  if (phase === 'done') return `of ${names} ended ${ended ?? ''}`
  const left = secondsLeft === null ? '' : `, about ${secondsLeft} s left`
  return `of ${names}: ${phase}, ${events} of ${total} events${left}`
}

function tellOfScrub({ roundStarted, events, differences, lastRound }: ScrubStatus): string {
  const now = `since ${roundStarted} ${events} events compared, ${differences} differences`
  if (lastRound === null) return now
  const { ended, differences: found } = lastRound
  // a small site's round is over long before the next one is due
  if (roundStarted > ended && events === 0) {
    return `all compared ${instantOf(ended)}, ${found} differences; the next round begins ${roundStarted}`
  }
  return `${now}; the round before ended ${instantOf(ended)} with ${found}`
}

/** As all others are written: PostgreSQL's JSON has an offset and microseconds. */
function instantOf(text: string): string {
  return new Date(text).toISOString()
}

function tellOfBackups({ backup, drill }: Standing): string[] {
  if (backup === null && drill === null) return ['Backup       none is scheduled yet']
  if (backup === null) return ['Backup       none yet', ...tellOfDrill(drill)]
  const { at, name, sizeBytes, position, kept, verified, parts } = backup
  return [
    `Backup       ${at}, ${name}, ${sizeInWords(sizeBytes)}, up to position ${position}; ${kept} there`,
    ...(parts > 1 ? [`             an increment: to load it takes ${parts} archives`] : []),
    ...(verified
      ? tellOfDrill(drill)
      : [
          '             encrypted: neither read again nor rehearsed here, for RM3_BACKUP_IDENTITY is not set',
        ]),
  ]
}

function tellOfDrill(drill: Standing['drill']): string[] {
  return drill === null ? [] : [`             rehearsed ${drill.at} in ${drill.seconds} s`]
}

type Shown = ProjectionStanding & { readonly kind: 'entity' | 'ordered' | null }

/** `kind` is null for one that is not found from here, such as one of a plugin that was taken out. */
async function projectionsOf(db: Db, folder: string): Promise<Shown[]> {
  const defined = await discoverProjections(folder)
  const kinds = new Map(
    defined.map(it => [it.name, isPerEntity(it) ? ('entity' as const) : ('ordered' as const)]),
  )
  const standings = await listStandings(db)
  return standings.map(({ name, version, ...rest }) => ({
    ...{ name, version, kind: kinds.get(name) ?? null },
    ...rest,
  }))
}

function sentenceOf(projection: Shown): string {
  const { version, mode, state, lag, lagSeconds, error, errorPosition, owner } = projection
  const { kind, position, skipped } = projection
  if (mode === 'inline') return `version ${version}, inline`
  const behind = lag === 0 ? '' : `, ${lag} events (${Math.ceil(lagSeconds)} s) behind`
  return [
    `version ${version}, ${state} at position ${position}${behind}`,
    state === 'failed' || state === 'paused' ? '' : `, ${owner ?? 'nobody'} follows`,
    kind === null ? ', its plugin is not found from here' : '',
    skipped.length === 0 ? '' : `, left out: ${skipped.join(', ')}`,
    error === null ? '' : `\n    ${errorPosition === null ? '' : `at ${errorPosition}: `}${error}`,
  ].join('')
}
