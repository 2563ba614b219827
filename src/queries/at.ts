import { Rm3Error } from '../errors.ts'
import { readHead, readPositionAt } from '../log/read.ts'
import { type Db, find } from '../pg/db.ts'

/** A moment in the log, with the instant at which it took the event there; '-infinity' for position 0. */
export interface AtPosition {
  readonly position: number
  readonly recordedAt: string
}

/** An instant that lies ahead, with the end of the log as it is now. */
export interface AtAhead {
  /** RFC 3339, UTC, milliseconds. */
  readonly ahead: string
  readonly head: number
}

/** What `?at=` says: a place in the log, an instant ahead of it, or a revision of the page that is asked for. */
export type At = AtPosition | AtAhead | { readonly revision: number }

const NUMBERED = /^(position|revision):(0|[1-9]\d{0,14})$/
const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+ -]\d{2}:\d{2})$/

/**
 * Resolves `position:N`, `revision:N` or an RFC 3339 instant, which means the last position recorded by then; one that is ahead of the
 * clock means what will be by then as far as it is scheduled.
 *
 * @throws AT_INVALID when it is none of them, or a position that is ahead of the log
 */
export async function resolveAt(db: Db, text: string): Promise<At> {
  const [, kind, digits] = NUMBERED.exec(text) ?? []
  if (kind === 'revision') return revisionAt(Number(digits))
  if (kind === 'position') return atPosition(db, Number(digits))
  const instant = parseInstant(text)
  if (instant === null) throw invalid(text, 'is neither')
  if (instant > new Date().toISOString()) {
    return { ahead: instant, head: (await readHead(db)).position }
  }
  return atPosition(db, await readPositionAt(db, instant))
}

/** As `resolveAt` where there is no single page. @throws AT_INVALID also for `revision:N` and for an instant ahead */
export async function resolvePosition(db: Db, text: string): Promise<AtPosition> {
  const at = await resolveAt(db, text)
  if ('revision' in at) throw invalid(text, 'is of one page and not')
  if ('ahead' in at) throw invalid(text, 'is in the future, where only a page can be read, so not')
  return at
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

function revisionAt(revision: number): At {
  if (revision < 1 || revision > REVISION_MAX) throw invalid(`revision:${revision}`, 'is no')
  return { revision }
}

const REVISION_MAX = 2_147_483_647
const RECORDED_AT = `select recorded_at as "recordedAt" from log where position = $1::bigint`

async function atPosition(db: Db, position: number): Promise<AtPosition> {
  if (position === 0) return { position, recordedAt: '-infinity' }
  const row = await find<{ recordedAt: string }>(db, RECORDED_AT, [position])
  if (row !== null) return { position, recordedAt: row.recordedAt }
  const head = await readHead(db)
  throw invalid(
    `position:${position}`,
    `is after the end of the log (${head.position}), so not yet`,
  )
}

function invalid(text: string, why: string): Rm3Error {
  return new Rm3Error(
    'AT_INVALID',
    `at=${text.slice(0, 60)} ${why} position:N, revision:N or an RFC 3339 instant that can be read`,
    { at: text.slice(0, 60) },
  )
}
