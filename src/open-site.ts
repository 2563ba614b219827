import { uuidv7 } from 'uuidv7'
import { Rights } from './access/rights.ts'
import type { Site } from './commands/change.ts'
import { States } from './commands/states.ts'
import { APPEND_SETTINGS, Appender } from './log/append.ts'
import { type Appends, AppendWatch } from './log/append-watch.ts'
import { Wakeups } from './log/wakeups.ts'
import { Connection } from './pg/connection.ts'
import { poolDb } from './pg/db.ts'
import { Listener } from './pg/listen.ts'
import { migrate } from './pg/migrate.ts'
import { openPool } from './pg/pool.ts'
import type { Projection } from './projector/define.ts'
import { discoverProjections } from './projector/discover.ts'
import { installProjections } from './projector/install.ts'
import { loadInline } from './projector/tables.ts'

export interface SiteOptions {
  readonly url: string
  /** PostgreSQL schema of the site. */
  readonly site: string
  /** Where the site's package.json is, which lists plugins; where the process was started when not given. */
  readonly folder?: string
  readonly allowUnsafe?: boolean
  readonly connectionsMax?: number
  /** What PostgreSQL calls the connections. */
  readonly applicationName?: string
  /** Told of errors of idle connections; the pool mends them itself. */
  readonly onError?: (error: Error) => void
  readonly now?: () => string
}

export interface OpenSite {
  readonly site: Site
  /** Tells when the log has grown, through this process or another. */
  readonly wakeups: Wakeups
  /** What this process writes to the log, for those who watch it. */
  readonly appends: Appends
  /** All of the site, also those of its plugins. */
  readonly projections: readonly Projection[]
  close(): Promise<void>
}

/** Batches under way at once: one is prepared while another is written (docs/decisions/0007-batches-overlap-in-even-shares.md). */
const LANES = 2

/** Brings the schema up to date and opens a site. @throws what `migrate` throws */
export async function openSite(options: SiteOptions): Promise<OpenSite> {
  const { url, site: name, allowUnsafe = false } = options
  const projections = await discoverProjections(options.folder)
  await migrate({
    url,
    site: name,
    allowUnsafe,
    afterwards: db => installProjections(db, projections, { url, site: name }),
  })
  return connectSite(options, projections)
}

/** Opens a site whose schema is up to date. */
export async function connectSite(
  options: SiteOptions,
  projections: readonly Projection[],
): Promise<OpenSite> {
  const { url, site: name } = options
  const poolOptions = {
    url,
    site: name,
    restricted: true,
    ...(options.applicationName !== undefined && { applicationName: options.applicationName }),
    ...(options.connectionsMax !== undefined && { connectionsMax: options.connectionsMax }),
    ...(options.onError && { onError: options.onError }),
  }
  const pool = openPool(poolOptions)
  const db = poolDb(pool)
  const lanes = Array.from(
    { length: LANES },
    () => new Connection({ ...poolOptions, settings: APPEND_SETTINGS }),
  )
  const wakeups = new Wakeups(new Listener(poolOptions))
  const appends = new AppendWatch()
  const appender = new Appender(
    lanes,
    position => wakeups.appended(position),
    size => appends.sent(size),
  )
  const site: Site = {
    db,
    appender: appends.over(appender),
    inline: await loadInline(db, projections),
    states: new States(),
    rights: new Rights(),
    now: options.now ?? (() => new Date().toISOString()),
    newId: uuidv7,
  }
  return {
    site,
    wakeups,
    appends,
    projections,
    close: async () => {
      await appender.close()
      await wakeups.close()
      await pool.end()
    },
  }
}
