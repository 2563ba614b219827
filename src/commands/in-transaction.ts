import { Rights } from '../access/rights.ts'
import { transactionAppender } from '../log/append.ts'
import type { Site } from './change.ts'
import { States } from './states.ts'

/**
 * Runs many changes as one transaction: all of them stay or none, also when the process is killed on the way. From the first one
 * on, nobody else can append until it ends.
 *
 * `work` gets the site as it is inside, with nothing kept of states outside.
 */
export function inTransaction<Result>(
  site: Site,
  work: (inside: Site) => Promise<Result>,
): Promise<Result> {
  return site.db.transaction(db =>
    work({
      ...site,
      db,
      appender: transactionAppender(db),
      states: new States(),
      rights: new Rights(),
    }),
  )
}
