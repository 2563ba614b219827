import { ROOT_VIEWER } from '../access/viewer.ts'
import { type BlobStores, openBlobStore } from '../blobs/store.ts'
import type { Author, Site } from '../commands/change.ts'
import { type Config, loadConfig, withEnvFile } from '../config.ts'
import { type OpenDatabase, openDatabase } from '../open-database.ts'
import { type OpenSite, openSite } from '../open-site.ts'
import type { Call } from './command.ts'

/** What the operator at the command line does, who may everything. */
export const AS_ROOT: Author = { viewer: ROOT_VIEWER, door: 'cli' }

const CONNECTIONS_MAX = 3

/** The configuration of this call: environment and `.env`. @throws CONFIG_INVALID */
export function configOf({ terminal }: Call): Config {
  return loadConfig(withEnvFile(terminal.env, terminal.cwd), terminal.cwd)
}

/** Where blobs are, as the configuration says; folders that are not there are made. */
export async function openStores(config: Config): Promise<BlobStores> {
  return {
    public: await openBlobStore(config.publicBlobsFolder),
    private: await openBlobStore(config.privateBlobsFolder),
  }
}

/** Works on the database and ends the use of it, however the work ends. @throws DATABASE_NOT_FOUND, DISK_FULL */
export async function withDatabase<Result>(
  call: Call,
  work: (database: OpenDatabase, config: Config) => Promise<Result>,
): Promise<Result> {
  const config = configOf(call)
  for (const warning of config.warnings) call.say(`${call.name}: ${warning}`)
  const database = await openDatabase(config, { lifetime: 'command', say: line => call.say(line) })
  try {
    return await work(database, config)
  } finally {
    await database.stop()
  }
}

/** Works on the site, whose schema is brought up to date first. @throws what `openSite` throws */
export async function withSite<Result>(
  call: Call,
  work: (site: Site, config: Config) => Promise<Result>,
): Promise<Result> {
  return withDatabase(call, (database, config) => withSiteOf(call, database, config, work))
}

/** As `withSite`, where the database is open already. */
export async function withSiteOf<Result>(
  call: Call,
  database: OpenDatabase,
  config: Config,
  work: (site: Site, config: Config) => Promise<Result>,
): Promise<Result> {
  return withOpenSite(call, database, config, ({ site }) => work(site, config))
}

/** As `withSiteOf`, for work that takes more of the site than commands do. */
export async function withOpenSite<Result>(
  call: Call,
  database: OpenDatabase,
  config: Config,
  work: (open: OpenSite) => Promise<Result>,
): Promise<Result> {
  const open = await openSite({
    url: database.url,
    site: config.site,
    allowUnsafe: config.unsafeDatabaseAllowed,
    connectionsMax: CONNECTIONS_MAX,
  })
  try {
    call.signal.throwIfAborted()
    return await work(open)
  } finally {
    await open.close()
  }
}
