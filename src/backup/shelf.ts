import type { Dirent, Stats } from 'node:fs'
import { lstat, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type JsonObject, parseJson } from '../codec/json.ts'
import type { Policy } from '../content/keep-policy.ts'
import { Rm3Error } from '../errors.ts'
import { chainsOf, parentsOf } from './chains.ts'
import { CATALOG } from './folder/format.ts'
import { isBackupFolder, listFiles, readCatalog } from './folder/read-catalog.ts'
import { FileFault } from './folder/rules.ts'
import { type Decision, decideRetention, type KeepableBackup } from './retention.ts'
import { LOCK, withShelf } from './shelf-lock.ts'

/** A backup in a folder of backups. */
export interface ShelvedBackup {
  readonly name: string
  readonly kind: 'folder' | 'archive'
  /** When it was begun: RFC 3339 in UTC. */
  readonly at: string
  readonly site: string
  readonly position: number
  /** Chain value at that position. */
  readonly chain: string
  /** What an incremental archive continues; null for one that stands alone. */
  readonly since: { readonly position: number; readonly chain: string } | null
  /** The subtree it is of; null is the whole site. */
  readonly path: string | null
  readonly contents: 'history' | 'snapshot'
  readonly sizeBytes: number
  readonly encrypted: boolean
}

/** A folder that holds backups, and what else is in it. */
export interface Shelf {
  /** Newest first; each with all that it takes to load it. */
  readonly backups: readonly ShelvedBackup[]
  /** What is no backup, or not a whole one, and is never touched. */
  readonly others: readonly { readonly name: string; readonly why: string }[]
}

/** What an archive on a shelf is, in a file beside it: the archive itself may be encrypted. */
export const NOTE_SUFFIX = '.json'
export const ARCHIVE_SUFFIX = '.rm3'
/** A folder that is being removed. */
const GOING_SUFFIX = '.forgotten'
const NOTE_BYTES_MAX = 10_000

/** What is on a shelf. Backups are known by what they say of themselves, not read whole. @throws SOURCE_NOT_FOUND */
export async function readShelf(dir: string): Promise<Shelf> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(cause => {
    const why = cause.code === 'ENOENT' ? 'is not there' : `cannot be read: ${cause.code}`
    throw new Rm3Error('SOURCE_NOT_FOUND', `the folder of backups ${dir} ${why}`, { dir, cause })
  })
  const backups: ShelvedBackup[] = []
  const others: { name: string; why: string }[] = []
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const found = await findBackup(dir, entry)
    if (typeof found === 'string') others.push({ name: entry.name, why: found })
    else if (found !== null) backups.push(found)
  }
  backups.sort((one, other) => (one.at < other.at ? 1 : -1))
  const chains = chainsOf(backups)
  const whole = backups.filter(backup => chains.get(backup) != null)
  for (const { name } of backups.filter(backup => !whole.includes(backup))) {
    others.push({ name, why: 'what it continues is not there' })
  }
  return { backups: whole, others }
}

/** A backup, null for what belongs to one, or why it is none. */
async function findBackup(dir: string, entry: Dirent): Promise<ShelvedBackup | string | null> {
  const { name } = entry
  if (name === LOCK || name.startsWith(`${LOCK}.`)) return null
  if (name.endsWith('.partial')) return 'a backup on its way, or one that was interrupted'
  if (name.endsWith(GOING_SUFFIX)) return 'a backup on its way out'
  if (entry.isDirectory()) return folderBackup(dir, name)
  if (!entry.isFile()) return 'neither a file nor a folder'
  if (name.endsWith(ARCHIVE_SUFFIX)) return archiveBackup(dir, name)
  if (!name.endsWith(ARCHIVE_SUFFIX + NOTE_SUFFIX)) return 'no backup'
  const archive = await lstat(join(dir, name.slice(0, -NOTE_SUFFIX.length))).catch(() => null)
  return archive === null ? 'its archive is not there' : null
}

function folderBackup(dir: string, name: string): ShelvedBackup | string {
  const folder = join(dir, name)
  if (!isBackupFolder(folder)) return 'no backup of this rm3'
  try {
    const { head, run } = readCatalog(folder)
    let sizeBytes = 0
    for (const file of listFiles(folder)) sizeBytes += file.sizeBytes
    const { position, chain, path, contents } = head
    return {
      ...{ name, kind: 'folder', at: instantOf(run.startedAt), site: run.site, sizeBytes },
      ...{ position, chain, path, contents, since: null, encrypted: false },
    }
  } catch (thrown) {
    if (thrown instanceof FileFault) return `damaged: ${thrown.message}`
    throw thrown
  }
}

async function archiveBackup(dir: string, name: string): Promise<ShelvedBackup | string> {
  const file = join(dir, name)
  const [archive, note] = await Promise.all([
    lstat(file),
    readFile(file + NOTE_SUFFIX).catch(() => null),
  ])
  if (note === null) return 'no note says what it is'
  try {
    return noted(name, archive, parseJson(note.subarray(0, NOTE_BYTES_MAX), name) as JsonObject)
  } catch (thrown) {
    return `its note cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  }
}

function noted(name: string, { size }: Stats, note: JsonObject): ShelvedBackup | string {
  const { at, site, position, chain, since, sizeBytes, encrypted } = note
  if (sizeBytes !== size) return `damaged: it has ${size} bytes and not ${String(sizeBytes)}`
  const isSound =
    typeof site === 'string' && typeof position === 'number' && typeof chain === 'string'
  if (!isSound) return 'its note lacks what must be in it'
  return {
    ...{ name, kind: 'archive', at: instantOf(at), site, position, chain, sizeBytes: size },
    since: (since ?? null) as ShelvedBackup['since'],
    ...{ path: null, contents: 'history', encrypted: encrypted === true },
  }
}

function instantOf(value: unknown): string {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw new FileFault('catalog-damaged', 'it does not say when it was made')
  return new Date(time).toISOString()
}

export interface Forgotten {
  readonly decisions: readonly Decision[]
  /** What was removed, or would be. */
  readonly removed: readonly ShelvedBackup[]
  readonly others: Shelf['others']
}

/**
 * Removes the backups that a policy does not keep.
 *
 * @param options `dryRun`: only says what would go
 * @throws SOURCE_NOT_FOUND, TARGET_IN_USE
 */
export async function forgetBackups(
  dir: string,
  policy: Policy,
  options: { readonly now: string; readonly dryRun?: boolean },
): Promise<Forgotten> {
  if (options.dryRun) return forget(dir, policy, options)
  return withShelf(dir, () => forget(dir, policy, options))
}

/** As `forgetBackups`, for who has the shelf. */
export async function forget(
  dir: string,
  policy: Policy,
  options: { readonly now: string; readonly dryRun?: boolean },
): Promise<Forgotten> {
  const { backups, others } = await readShelf(dir)
  const decisions = decideRetention(keepable(backups), policy, options.now)
  const going = new Set(decisions.filter(({ keep }) => !keep).map(({ name }) => name))
  const removed = backups.filter(({ name }) => going.has(name))
  if (!options.dryRun) {
    await finishRemovals(dir, others)
    // what stands on others goes first: a chain is whole, or it is not there
    for (const backup of removed) await removeBackup(dir, backup)
  }
  return { decisions, removed, others }
}

function keepable(backups: readonly ShelvedBackup[]): KeepableBackup[] {
  return backups.map(backup => ({
    ...{ name: backup.name, at: backup.at },
    set: [backup.site, backup.path ?? '', backup.contents].join(' '),
    parents: parentsOf(backups, backup).map(({ name }) => name),
  }))
}

async function removeBackup(dir: string, { name, kind }: ShelvedBackup): Promise<void> {
  const path = join(dir, name)
  if (kind === 'archive') {
    await rm(path)
    await rm(path + NOTE_SUFFIX, { force: true })
    return
  }
  await rename(path, path + GOING_SUFFIX)
  await removeFolder(path + GOING_SUFFIX)
}

/** Ends removals that were interrupted. */
async function finishRemovals(dir: string, others: Shelf['others']): Promise<void> {
  for (const { name } of others) {
    const folder = join(dir, name)
    if (name.endsWith(GOING_SUFFIX) && isBackupFolder(folder)) await removeFolder(folder)
  }
}

/** The catalog goes last: as long as there is anything, it says what that is. */
async function removeFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name !== CATALOG) await rm(join(folder, name), { recursive: true })
  }
  await rm(join(folder, CATALOG))
  await rmdir(folder)
}
