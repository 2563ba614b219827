import { join } from 'node:path'
import type { Config } from './config.ts'
import { startManagedPostgres } from './pg/managed/start.ts'

/** The database that the configuration names, or the managed one, running. */
export interface OpenDatabase {
  /** For node-postgres and psql. */
  readonly url: string
  /** Whether it is the one that rm3 manages itself. */
  readonly managed: boolean
  /** Ends the use of it; a managed server that we started is stopped once nobody else uses it. Close all pools before. */
  stop(): Promise<void>
}

export interface OpenDatabaseOptions {
  /** 'server' for what runs until it is told to stop, 'command' for what ends by itself. */
  readonly lifetime: 'command' | 'server'
  /** Told what takes long or is not as expected. */
  readonly say: (line: string) => void
}

/**
 * Brings up the database: the one of RM3_PG, or a PostgreSQL of our own below RM3_DATA.
 *
 * @throws DATABASE_NOT_FOUND, DISK_FULL
 */
export async function openDatabase(
  config: Config,
  options: OpenDatabaseOptions,
): Promise<OpenDatabase> {
  if (config.databaseUrl !== null) {
    return { url: config.databaseUrl, managed: false, stop: async () => {} }
  }
  const managed = await startManagedPostgres({
    dataDir: managedFolder(config),
    mode: 'durable',
    lifetime: options.lifetime,
    log: options.say,
  })
  return { url: managed.url, managed: true, stop: () => managed.stop() }
}

const MANAGED_FOLDER = 'pg'

/** Where the managed PostgreSQL keeps its data. */
export function managedFolder(config: Config): string {
  return join(config.dataFolder, MANAGED_FOLDER)
}
