import { hostname } from 'node:os'
import type { OpenSite } from './open-site.ts'
import { poolDb } from './pg/db.ts'
import { openPool } from './pg/pool.ts'
import { type Following, startFollowing } from './projector/follow.ts'

export interface FollowSiteOptions {
  readonly url: string
  /** PostgreSQL schema of the site. */
  readonly site: string
  /** A line about what goes wrong. */
  readonly say: (line: string) => void
}

/** A batch of large pages takes longer than what a reader waits for. */
const STATEMENT_TIMEOUT_MS = 60_000

/** Each costs the server 5 MB for as long as rm3 runs; while one writes a long batch the others have the other. */
const CONNECTIONS_MAX = 2

/** Follows the log of an open site with its async projections, over connections of its own. Stop it before the site is closed. */
export function followSite(
  { projections, wakeups }: Pick<OpenSite, 'projections' | 'wakeups'>,
  { url, site, say }: FollowSiteOptions,
): Following {
  const pool = openPool({
    ...{ url, site, restricted: true, connectionsMax: CONNECTIONS_MAX },
    applicationName: 'rm3 projections',
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    // rows and checkpoint are lost together or not at all, and made again from the log: no batch need wait for the disk
    settings: ['synchronous_commit=off'],
    onError: error => say(`the database: ${error.message}`),
  })
  const owner = `${hostname()}:${process.pid}`
  const following = startFollowing({ db: poolDb(pool), projections, wakeups, owner, say })
  return {
    stop: async () => {
      await following.stop()
      await pool.end()
    },
  }
}
