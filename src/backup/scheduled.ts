import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { listSettings } from '../../projections/settings.ts'
import type { Json, JsonObject } from '../codec/json.ts'
import { findPolicy, isFullEvery, type Policy } from '../content/keep-policy.ts'
import { Rm3Error } from '../errors.ts'
import { fileError } from '../file-error.ts'
import { openBulk } from '../pg/bulk.ts'
import { type Db, find } from '../pg/db.ts'
import { type Identity, parseRecipient, type Recipient } from './age/keys.ts'
import { writeWhole } from './archive/file.ts'
import { openBytes } from './archive/open-bytes.ts'
import { verifyArchive } from './archive/verify.ts'
import { writeArchive } from './archive/write.ts'
import { chainOf } from './chains.ts'
import { syncFolder } from './folder/target.ts'
import { demandWhole } from './folder/tell.ts'
import { type BackupSource, writeBackupFolder } from './folder/write.ts'
import {
  ARCHIVE_SUFFIX,
  forget,
  NOTE_SUFFIX,
  readShelf,
  type Shelf,
  type ShelvedBackup,
} from './shelf.ts'
import { withShelf } from './shelf-lock.ts'

/** How the settings of a site want its backups. */
export interface BackupSettings {
  readonly kind: 'archive' | 'folder'
  /** Of so many archives one is whole, and the others continue the one before. 1: all are whole. */
  readonly full: number
  /** What is removed after a backup; null: nothing. */
  readonly keep: Policy | null
}

export interface ScheduledOptions {
  /** The folder of backups, which is made when it is not there. */
  readonly shelf: string
  /** age recipients; [] is not encrypted. */
  readonly recipients: readonly string[]
  /** What an archive that is encrypted for them can be read again with; [] when that is elsewhere. */
  readonly identities: readonly Identity[]
  readonly program: string
  readonly now: string
  readonly signal?: AbortSignal
  readonly onProgress?: (step: string, done: number, total: number) => void
}

/** What a scheduled backup came to; kept as the report of the worker. */
export interface ScheduledBackup {
  readonly backup: ShelvedBackup
  /** Read whole again, and found whole. An encrypted one cannot be where its key is elsewhere. */
  readonly verified: boolean
  /** How many archives it takes to load it, itself among them. */
  readonly parts: number
  readonly kept: number
  readonly removed: readonly string[]
}

/** Interrupted runs leave parts behind, which are removed when they are so old. */
const STALE_MS = 86_400_000

/** The settings `backup.kind`, `backup.full` and `backup.keep`. @throws CONFIG_INVALID naming the one that is none */
export async function readBackupSettings(db: Db): Promise<BackupSettings> {
  const settings = new Map((await listSettings(db)).map(({ key, value }) => [key, value]))
  const kind = settings.get('backup.kind') ?? 'archive'
  if (kind !== 'archive' && kind !== 'folder') {
    throw new Rm3Error('CONFIG_INVALID', 'the setting backup.kind is archive or folder', { kind })
  }
  const full = settings.get('backup.full') ?? 1
  if (!isFullEvery(full)) {
    throw new Rm3Error('CONFIG_INVALID', 'the setting backup.full is a number from 1 to 1000', {
      full,
    })
  }
  return { kind, full, keep: policyOf(settings.get('backup.keep') ?? null) }
}

/**
 * Makes a backup of the site on a shelf, under a name that says when; reads it again; removes what the settings do not want to keep.
 *
 * @throws TARGET_IN_USE, CONFIG_INVALID, DISK_FULL, LOG_DAMAGED, BLOB_MISSING, BACKUP_DAMAGED when it is not what was written
 */
export async function makeScheduledBackup(
  source: BackupSource,
  settings: BackupSettings,
  options: ScheduledOptions,
): Promise<ScheduledBackup> {
  const { shelf } = options
  await mkdir(shelf, { recursive: true, mode: 0o700 }).catch(thrown => {
    throw fileError(thrown, shelf)
  })
  return withShelf(shelf, () => makeBackup(source, settings, options))
}

async function makeBackup(
  source: BackupSource,
  settings: BackupSettings,
  options: ScheduledOptions,
): Promise<ScheduledBackup> {
  const { kind, keep } = settings
  const { shelf, now } = options
  const name = `${source.site}-${now.slice(0, 19).replaceAll(':', '-')}Z`
  await removeStale(shelf, source.site, now)
  const made =
    kind === 'folder'
      ? await makeFolder(source, name, options)
      : await makeArchive(source, { name: name + ARCHIVE_SUFFIX, full: settings.full }, options)
  const { backups, others } = await readShelf(shelf)
  const backup = backups.find(it => it.name === made.name)
  const chain = backup && chainOf(backups, backup)
  if (!backup || !chain) throw spoilt(join(shelf, made.name), others)
  const { removed, decisions } =
    keep === null ? { removed: [], decisions: backups } : await forget(shelf, keep, { now })
  return {
    ...{ backup, verified: made.verified, parts: chain.length },
    removed: removed.map(it => it.name),
    kept: decisions.length - removed.length,
  }
}

/** What was whole when it was written is not any more: the disk fails, or somebody else is at work there. */
function spoilt(path: string, others: Shelf['others']): Rm3Error {
  const why = others.find(({ name }) => name === basename(path))?.why ?? 'it is not there'
  return new Rm3Error('BACKUP_DAMAGED', `${path} was written, and now: ${why}`, { path })
}

interface Made {
  readonly name: string
  readonly verified: boolean
}

async function makeFolder(
  source: BackupSource,
  name: string,
  { shelf, program, signal, onProgress = () => {} }: ScheduledOptions,
): Promise<Made> {
  const dir = join(shelf, name)
  const until = signal === undefined ? {} : { signal }
  await writeBackupFolder(source, { dir, program, ...until, onProgress })
  await demandWhole(dir, {
    ...until,
    onProgress: (done, total) => onProgress('verifying', done, total),
  })
  return { name, verified: true }
}

async function makeArchive(
  source: BackupSource,
  { name, full }: { name: string; full: number },
  options: ScheduledOptions,
): Promise<Made> {
  const { shelf, program, identities, now, signal, onProgress } = options
  const recipients = options.recipients.map(parseRecipient)
  const encrypted = recipients.length > 0
  if (encrypted) demandOpens(identities, recipients)
  const encryption = encrypted ? { recipients } : undefined
  const parent = full > 1 ? await findParent(source, full, options) : null
  const from = { database: { url: source.url, site: source.site }, blobs: source.stores }
  const file = join(shelf, name)
  const written = await writeWhole(file, out =>
    writeArchive(from, {
      ...{ out, encryption, program, signal, onProgress, since: parent?.position },
    }),
  )
  const verified = !encrypted || identities.length > 0
  if (verified) await verifyFile(file, identities, signal)
  const { position, chain } = written.head
  const since = written.parent.position === 0 ? null : { ...written.parent }
  const { sizeBytes } = written
  const note = { at: now, site: source.site, position, chain, since, sizeBytes, encrypted }
  await writeNote(file + NOTE_SUFFIX, note)
  await syncFolder(shelf)
  return { name, verified }
}

/** Identities that open nothing are found out before anything is written. */
function demandOpens(identities: readonly Identity[], recipients: readonly Recipient[]): void {
  const opens = identities.some(it => recipients.some(other => other.equals(it.recipient)))
  if (identities.length === 0 || opens) return
  throw new Rm3Error(
    'CONFIG_INVALID',
    'RM3_BACKUP_IDENTITY does not open what is encrypted for RM3_BACKUP_RECIPIENT',
  )
}

/**
 * The newest archive that the next one can continue: with all that it continues itself, as many as may be, encrypted as it will be, and of the log as
 * it is. Null: the next one is whole.
 */
async function findParent(
  source: BackupSource,
  full: number,
  { shelf, recipients, now }: ScheduledOptions,
): Promise<ShelvedBackup | null> {
  const encrypted = recipients.length > 0
  const { backups } = await readShelf(shelf)
  const newest = backups.find(it => {
    return it.site === source.site && it.kind === 'archive' && it.encrypted === encrypted
  })
  if (newest === undefined || newest.at >= now) return null
  const chain = chainOf(backups, newest)
  if (chain === null || chain.length >= full) return null
  return (await isOfLog(source, newest)) ? newest : null
}

const AT = `select from log where position = $1::bigint and chain = decode($2::text, 'hex')`

async function isOfLog(source: BackupSource, { position, chain }: ShelvedBackup): Promise<boolean> {
  const bulk = await openBulk(source)
  try {
    return (await find(bulk.db, AT, [position, chain])) !== null
  } finally {
    await bulk.close()
  }
}

async function verifyFile(
  file: string,
  identities: readonly Identity[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { bytes, close } = await openBytes(file)
  try {
    await verifyArchive(bytes, { identities, passphrase: null }, signal ? { signal } : {})
  } finally {
    await close()
  }
}

async function writeNote(path: string, note: JsonObject): Promise<void> {
  try {
    await writeFile(`${path}.partial`, `${JSON.stringify(note)}\n`, { mode: 0o600, flush: true })
    await rename(`${path}.partial`, path)
  } catch (thrown) {
    throw fileError(thrown, path)
  }
}

/** Removes what runs of this site that were killed have left on the shelf. */
async function removeStale(shelf: string, site: string, now: string): Promise<void> {
  for (const name of await readdir(shelf)) {
    const isOurs = name.startsWith(`${site}-2`) && name.endsWith('.partial')
    const found = isOurs ? await lstat(join(shelf, name)) : null
    if (found === null || Date.parse(now) - found.mtimeMs < STALE_MS) continue
    await rm(join(shelf, name), { recursive: true, force: true })
  }
}

function policyOf(value: Json): Policy | null {
  const policy = findPolicy(value)
  if (policy !== null || value === null) return policy
  throw new Rm3Error(
    'CONFIG_INVALID',
    'the setting backup.keep is numbers by rule, such as {"daily": 7, "weekly": 5, "monthly": 12}',
    { value },
  )
}
