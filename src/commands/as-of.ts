import { findShown, type Shown } from '../../projections/page-history.ts'
import { Rm3Error } from '../errors.ts'
import { findPosition, readHead, readPositionAt } from '../log/read.ts'
import type { Db } from '../pg/db.ts'

/** A place in time: a position of the log, or a revision of the one page that is asked for. */
export type AsOf =
  | { readonly type: 'position'; readonly position: number }
  | { readonly type: 'revision'; readonly revision: number }

const COUNTED = /^(position|revision):(\d{1,15})$/
const INSTANT = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d))?$/

/**
 * The place in time that a text means: `position:N`, `revision:N`, an RFC 3339 instant (the last position recorded by then), or a date,
 * which means its beginning in UTC.
 *
 * @throws AT_INVALID when it is none of these, or a position that the log has not reached
 */
export async function resolveAsOf(db: Db, text: string): Promise<AsOf> {
  const [, kind, digits] = COUNTED.exec(text) ?? []
  if (kind === 'revision') return { type: 'revision', revision: Number(digits) }
  const position =
    kind === 'position' ? await knownPosition(db, Number(digits)) : await positionOf(db, text)
  return { type: 'position', position }
}

/** As `resolveAsOf`, where no page is asked for and a revision means nothing. @throws AT_INVALID */
export async function resolvePosition(db: Db, text: string): Promise<number> {
  const asOf = await resolveAsOf(db, text)
  if (asOf.type === 'position') return asOf.position
  throw new Rm3Error('AT_INVALID', 'a revision is that of one page: name a position or an instant')
}

/** When a position was recorded; null for 0, the time before the first. */
export async function instantOf(db: Db, position: number): Promise<string | null> {
  const event = position === 0 ? null : await findPosition(db, position)
  return event?.recordedAt ?? null
}

/** What readers saw at a path at a position. @throws PAGE_NOT_FOUND */
export async function getShown(db: Db, path: string, position: number): Promise<Shown> {
  const shown = await findShown(db, path, position)
  if (shown !== null) return shown
  throw new Rm3Error('PAGE_NOT_FOUND', `there was no page at ${path} at position ${position}`, {
    path,
    position,
  })
}

async function knownPosition(db: Db, position: number): Promise<number> {
  const head = await readHead(db)
  if (position <= head.position) return position
  throw new Rm3Error(
    'AT_INVALID',
    `the log ends at position ${head.position}; there is no ${position} yet`,
    { position, head: head.position },
  )
}

async function positionOf(db: Db, text: string): Promise<number> {
  const instant = INSTANT.test(text) ? new Date(text) : null
  if (instant === null || Number.isNaN(instant.getTime())) {
    throw new Rm3Error(
      'AT_INVALID',
      `"${text.slice(0, 80)}" is neither position:N nor revision:N nor an instant such as 2026-02-03T04:05:06Z`,
      { at: text.slice(0, 80) },
    )
  }
  return readPositionAt(db, instant.toISOString())
}
