import { isTimeZone } from '../content/time-zone.ts'
import { Rm3Error } from '../errors.ts'
import { type Db, find } from '../pg/db.ts'
import { gathered } from '../pg/gathered.ts'
import { FOREVER } from '../projector/define.ts'
import { type Between, instantsOf } from './known-instants.ts'
import { type Period, parsePeriod } from './periods.ts'

/** A moment in the log, with the instant at which it took the event there; '-infinity' for position 0. */
export interface AtPosition {
  readonly position: number
  readonly recordedAt: string
  /** Whether what was asked for will mean this position for ever; not so while the log may still grow within that time. */
  readonly settled: boolean
}

/** An instant that lies ahead, with the end of the log as it is now. */
export interface AtAhead {
  /** RFC 3339, UTC, milliseconds. */
  readonly ahead: string
  readonly head: number
}

/** A time of the whole site. */
export type Moment = AtPosition | AtAhead

/** What `?at=` says: a time of the site, or a revision of the page that is asked for. */
export type At = Moment | { readonly revision: number }

/** A time before it is looked up, which the log alone can tell: a position, or an instant that is over. */
export type Asked = { readonly position: number } | { readonly instant: string }

const NUMBERED = /^(position|revision):(0|[1-9]\d{0,14})$/
const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+ -]\d{2}:\d{2})$/

/**
 * Resolves `position:N`, `revision:N`, an RFC 3339 instant, or a time as people say it (`yesterday`, `today`, `2024`, `2024-03`,
 * `2024-03-05` in the time zone of the site). An instant means the last position recorded by then, a day, month or year the last one
 * within it, which is the newest while it lasts. What lies ahead of the clock means what will be by then as far as it is scheduled.
 *
 * @param parameter what the caller knows the time by
 * @throws AT_INVALID when it is none of them, or a position that is ahead of the log
 */
export async function resolveAt(db: Db, text: string, parameter = 'at'): Promise<At> {
  const asked = parseAsked(text)
  if (asked !== null) {
    const { at } = await lookedUp(
      db,
      asked,
      question => findMoment(db, JSON.stringify(question)),
      parameter,
    )
    return at
  }
  const revision = NUMBERED.exec(text)?.[2]
  if (revision !== undefined) return revisionAt(Number(revision), parameter)
  const now = new Date().toISOString()
  const instant = parseInstant(text)
  if (instant !== null) return atInstant(db, instant, now)
  const period = parsePeriod(text, await readTimeZone(db), now)
  if (period === null) throw invalid(parameter, text, 'is no time')
  return atEndOf(db, period, now)
}

/** What is asked for by `position:N` or an instant that is over; null for all else, which `resolveAt` resolves or refuses. */
export function parseAsked(text: string): Asked | null {
  const [, kind, digits] = NUMBERED.exec(text) ?? []
  if (kind === 'position') return { position: Number(digits) }
  const instant = kind === 'revision' ? null : parseInstant(text)
  return instant === null || Date.parse(instant) > Date.now() ? null : { instant }
}

/** As `resolveAt` where there is no single page. @throws AT_INVALID also for `revision:N` */
export async function resolveMoment(db: Db, text: string, parameter = 'at'): Promise<Moment> {
  return demandMoment(await resolveAt(db, text, parameter), parameter) as Moment
}

/** As `resolveMoment` for an end of a stretch of what was done. @throws AT_INVALID also for an instant ahead */
export async function resolvePosition(db: Db, text: string, parameter = 'at'): Promise<AtPosition> {
  const moment = await resolveMoment(db, text, parameter)
  if (!('ahead' in moment)) return moment
  throw invalid(parameter, moment.ahead, 'lies ahead, and what will be done by then is not done')
}

/** A time of the site; null is now. @throws AT_INVALID when it is a revision */
export function demandMoment(at: At | null, parameter = 'at'): Moment | null {
  if (at === null || !('revision' in at)) return at
  throw invalid(parameter, `revision:${at.revision}`, 'is of one page, and this is not about one')
}

/**
 * Where to read what nobody can schedule, such as rights, settings and what was done: ahead it is as it is now.
 *
 * @returns null for now
 */
export function pastPosition(moment: Moment | null): number | null {
  return moment === null || 'ahead' in moment ? null : moment.position
}

/** A text that is the same for the same time, for cursors; null for now. */
export function keyOf(moment: Moment | null): string | number | null {
  if (moment === null) return null
  return 'ahead' in moment ? moment.ahead : moment.position
}

/**
 * An instant as rm3 writes them.
 *
 * @param text RFC 3339; a space may stand for the `+` that a form's decoding took
 * @returns RFC 3339 in UTC with milliseconds, further digits cut off; null when it is none
 */
export function parseInstant(text: string): string | null {
  const [, year, month, day, hour, minute, second, fraction = '', offset = ''] =
    RFC_3339.exec(text) ?? []
  if (year === undefined) return null
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (Number(day) > days) return null
  const zone = offset.replace(' ', '+').toUpperCase()
  const milliseconds = `${fraction.slice(1, 4)}000`.slice(0, 3)
  const parsed = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${zone}`,
  )
  return Number.isNaN(parsed) || parsed < YEAR_ONE ? null : new Date(parsed).toISOString()
}

const YEAR_ONE = Date.parse('0001-01-01T00:00:00Z')
const ZONE = `select value#>>'{}' as zone from settings where until_position = ${FOREVER} and key = 'site.timezone'`

/** The setting `site.timezone`; UTC when it is not set, or names none. */
export async function readTimeZone(db: Db): Promise<string> {
  const zone = (await find<{ zone: string | null }>(db, ZONE))?.zone
  return typeof zone === 'string' && isTimeZone(zone) ? zone : 'UTC'
}

function revisionAt(revision: number, parameter: string): At {
  if (revision < 1 || revision > REVISION_MAX)
    throw invalid(parameter, `revision:${revision}`, 'is no revision')
  return { revision }
}

const REVISION_MAX = 2_147_483_647

/**
 * A moment, and the row of the statement that looked it up. What is known of instants asked for before is used, and proved by the row.
 *
 * @param find asks the statement
 * @throws AT_INVALID when it is a position that is ahead of the log
 */
export async function lookedUp<Row extends MomentRow>(
  db: Db,
  asked: Asked,
  find: (question: Question) => Promise<Row>,
  parameter = 'at',
): Promise<{ at: AtPosition; row: Row }> {
  if ('position' in asked) {
    const row = await find(asked)
    return { at: momentOf(asked, row, parameter), row }
  }
  const instants = instantsOf(db)
  const ms = Date.parse(asked.instant)
  const around = instants.around(ms)
  let row = await find({ ...asked, ...around })
  if (!instants.areOf(row.epoch) || (around !== null && !isBy(row, ms))) {
    instants.forget()
    row = await find(asked)
  }
  const at = momentOf(asked, row, parameter)
  if (at.settled) instants.learn(ms, at.position)
  return { at, row }
}

/** Whether the log has a position and had it by an instant. */
function isBy({ position, recordedAt }: MomentRow, ms: number): boolean {
  return position === 0 || (recordedAt !== null && Date.parse(recordedAt) <= ms)
}

/** The position that was asked for, with what was found of it. @throws AT_INVALID when it is ahead of the log */
function momentOf(
  asked: Asked,
  { position, recordedAt, head }: MomentRow,
  parameter = 'at',
): AtPosition {
  const settled = 'position' in asked || position < head
  if (position === 0) return { position, recordedAt: '-infinity', settled }
  if (recordedAt !== null) return { position, recordedAt, settled }
  throw invalid(
    parameter,
    `position:${position}`,
    `is after the end of the log, which is at ${head}`,
  )
}

async function atInstant(db: Db, instant: string, now: string): Promise<Moment> {
  const asked = { instant }
  const found = await findMoment(db, JSON.stringify(asked))
  return instant > now ? { ahead: instant, head: found.head } : momentOf(asked, found)
}

/** The end of a period; while it lasts, now. How it is meant follows from a setting, so nothing is settled. */
async function atEndOf(db: Db, { from, until }: Period, now: string): Promise<Moment> {
  if (from > now) return atInstant(db, justBefore(until, 'ms'), now)
  const instant = until > now ? now : justBefore(until, 'µs')
  const { position, recordedAt } = await findMoment(db, JSON.stringify({ instant }))
  return { position, recordedAt: recordedAt ?? '-infinity', settled: false }
}

/** The last millisecond or microsecond before an instant: positions are recorded to the microsecond. */
function justBefore(instant: string, unit: 'ms' | 'µs'): string {
  const last = new Date(Date.parse(instant) - 1).toISOString()
  return unit === 'ms' ? last : last.replace('Z', '999Z')
}

/** What `MOMENT` finds. */
export interface MomentRow {
  readonly head: number
  readonly epoch: string
  readonly position: number
  readonly recordedAt: string | null
}

/** What a statement is asked for a moment with. */
export type Question = Asked & Partial<Between>

/** Columns of a `Question`, for json_to_recordset, and SQL of the position that one asks for. */
export const QUESTION = 'position bigint, instant timestamptz, lowest bigint, highest bigint'
export const QUESTION_NAMES = 'position, instant, lowest, highest'
export const ASKED_POSITION = 'coalesce(position, position_at(instant, lowest, highest), 0)'
/** Columns of a `MomentRow`, of `log_head` as `head`, what was asked as `q`, and the event at that position as `l`. */
export const MOMENT = 'head.position as head, head.epoch, q.position, l.recorded_at as "recordedAt"'

const MOMENTS_AT_ONCE = 32
// "offset 0": or the search for the position is done once for each place where the statement names it
const MOMENTS = `select ${MOMENT}
  from log_head head cross join (
    select number, ${ASKED_POSITION} as position
    from rows from (json_to_recordset($1::json) as (${QUESTION})) with ordinality as asked(${QUESTION_NAMES}, number) offset 0) q
  left join log l on l.position = q.position
  order by q.number`

/** The position at an instant, or itself, with the end of the log: one statement for all who ask at the same time. */
const findMoment = gathered(MOMENTS_AT_ONCE, (db, keys) =>
  db.rows<MomentRow>(MOMENTS, [`[${keys}]`]),
)

const ALLOWED =
  'position:N, revision:N of a page, an RFC 3339 instant, yesterday, today, or a year, month or day such as 2024, 2024-03 or 2024-03-05'

function invalid(parameter: string, text: string, why: string): Rm3Error {
  const at = text.slice(0, 60)
  const message = `${parameter}=${at} ${why}; allowed are ${ALLOWED}`
  return new Rm3Error('AT_INVALID', message, { parameter, at })
}
