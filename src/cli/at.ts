import type { Db } from '../pg/db.ts'
import { type At, type AtPosition, resolveAt, resolvePosition } from '../queries/at.ts'

const DATE = /^\d{4}-\d\d-\d\d$/

/** What --at means; a date alone is its beginning in UTC. @throws AT_INVALID */
export function resolveWhen(db: Db, text: string): Promise<At> {
  return resolveAt(db, instantFrom(text))
}

/** As `resolveWhen` where there is no single page. @throws AT_INVALID also for a revision */
export function resolveWhenPosition(db: Db, text: string): Promise<AtPosition> {
  return resolvePosition(db, instantFrom(text))
}

function instantFrom(text: string): string {
  return DATE.test(text) ? `${text}T00:00:00Z` : text
}
