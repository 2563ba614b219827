import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT_VIEWER } from '../access/viewer.ts'
import type { BlobStores } from '../blobs/store.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { openSite } from '../open-site.ts'
import { openBulk, type SiteDatabase } from '../pg/bulk.ts'
import type { Db } from '../pg/db.ts'
import { resolveAt } from '../queries/at.ts'
import { readPage } from '../queries/read-page.ts'
import type { Restored } from './restore.ts'

export interface DrillOptions {
  /** Where files may be put for a while. */
  readonly scratchFolder: string
  /** Loads the backup into the site that is named. */
  readonly load: (database: SiteDatabase, stores: BlobStores) => Promise<Restored>
  readonly allowUnsafe: boolean
  readonly now: string
  /** A number from 0 to below 1. */
  readonly random: () => number
  readonly signal?: AbortSignal
}

/** What a rehearsal came to. */
export interface Drill {
  readonly events: number
  readonly position: number
  /** Projections that were built from the backup and proved. */
  readonly projections: number
  /** Pages as of some position that were read from both and found the same. */
  readonly reads: number
  readonly seconds: number
}

const READS = 100
const SITE_CHARS = 24
const STALE_MS = 86_400_000
const NAME_BASE = 36

/**
 * Rehearses loading a backup: into a schema of its own beside the site, which is built and proved as a real one is; then pages as of some
 * positions are read from both. Schema, role and files are removed whatever happens; what a killed rehearsal left, by the next.
 *
 * @throws LOG_DAMAGED when a page differs; what `load` throws
 */
export async function rehearse(
  original: SiteDatabase,
  site: Site,
  options: DrillOptions,
): Promise<Drill> {
  const { now, scratchFolder } = options
  const prefix = `${original.site.slice(0, SITE_CHARS)}_drill_`
  const scratch = prefix + Math.floor(Date.parse(now) / 1000).toString(NAME_BASE)
  await mkdir(scratchFolder, { recursive: true, mode: 0o700 })
  const folder = await mkdtemp(join(scratchFolder, 'drill-'))
  const started = Date.now()
  const owner = await openBulk(original)
  try {
    await dropStale(owner.db, prefix, now)
    const stores = await storesIn(folder)
    const database = { url: original.url, site: scratch }
    const { events, head, projections } = await options.load(database, stores)
    const reads = await compareReads(site, { ...database, position: head.position }, options)
    const seconds = Math.round((Date.now() - started) / 100) / 10
    return { events, position: head.position, projections: projections.length, reads, seconds }
  } finally {
    await rm(folder, { recursive: true, force: true })
    await dropSchema(owner.db, scratch).finally(() => owner.close())
  }
}

async function storesIn(folder: string): Promise<BlobStores> {
  const stores = {
    public: { folder: join(folder, 'public') },
    private: { folder: join(folder, 'private') },
  }
  for (const store of Object.values(stores)) await mkdir(store.folder, { mode: 0o700 })
  return stores
}

async function compareReads(
  site: Site,
  { url, site: schema, position }: SiteDatabase & { position: number },
  { allowUnsafe, random, signal }: DrillOptions,
): Promise<number> {
  const { site: copy, close } = await openSite({
    url,
    site: schema,
    allowUnsafe,
    connectionsMax: 2,
  })
  try {
    const positions = Array.from({ length: READS }, () => 1 + Math.floor(random() * position))
    const events = await site.db.rows<PageEvent>(PAGE_EVENTS, [positions])
    for (const event of events) {
      signal?.throwIfAborted()
      const state = await readState(site.db, event.stream, event.revision)
      if (state?.kind !== 'entity') continue
      const [here, there] = await Promise.all(
        [site, copy].map(it => readThen(it, state.path, event.position)),
      )
      if (here !== there) throw differs(state.path, event.position)
    }
    return events.length
  } finally {
    await close()
  }
}

interface PageEvent {
  readonly position: number
  readonly stream: string
  readonly revision: number
}

const PAGE_EVENTS = `select position, stream, revision from log
  where position = any($1::bigint[]) and type like 'Page%' order by position`

async function readThen(site: Site, path: string, position: number): Promise<string> {
  const at = await resolveAt(site.db, `position:${position}`)
  try {
    const answer = await readPage(site, ROOT_VIEWER, path, at)
    return JSON.stringify([answer.type, answer.type === 'page' ? answer.page : null])
  } catch (thrown) {
    // what was erased here is erased there, by the same event
    if (isRm3Error(thrown, 'ERASED')) return JSON.stringify([thrown.code, thrown.message])
    throw thrown
  }
}

function differs(path: string, position: number): Rm3Error {
  return new Rm3Error(
    'LOG_DAMAGED',
    `${path} as of position ${position} is not the same when it is read from the backup`,
    { path, position },
  )
}

const LEFT = `select nspname as name from pg_namespace where starts_with(nspname, $1::text)`

async function dropStale(db: Db, prefix: string, now: string): Promise<void> {
  for (const { name } of await db.rows<{ name: string }>(LEFT, [prefix])) {
    const seconds = Number.parseInt(name.slice(prefix.length), NAME_BASE)
    if (Date.parse(now) - seconds * 1000 > STALE_MS) await dropSchema(db, name)
  }
}

/** The name has been made here, of a schema's own and digits. */
async function dropSchema(db: Db, name: string): Promise<void> {
  await db.rows(`drop schema if exists ${name} cascade`)
  await db.rows(`drop role if exists ${name}_app`)
}
