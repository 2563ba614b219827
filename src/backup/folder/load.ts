import { join } from 'node:path'
import { type BlobStores, putBlob } from '../../blobs/store.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import type { RawEvent } from '../../log/raw.ts'
import type { SiteDatabase } from '../../pg/bulk.ts'
import { type Restored, type RestoreOptions, restoreSite, type Secret } from '../restore.ts'
import { CATALOG, CREDENTIALS, type FileEntry, streamOf } from './format.ts'
import { listFiles } from './read-catalog.ts'
import { readCredentials } from './read-credentials.ts'
import { readHistory } from './read-history.ts'
import { FileFault } from './rules.ts'
import { blobOf, Tally } from './tally.ts'
import type { FolderProof } from './verify.ts'

const NO_PLACE = { position: 0, chain: '0'.repeat(64) }

/**
 * Loads a whole backup with its history into an empty site: the log as it was, to the position and the chain value.
 *
 * @param proof of the backup in `dir`, which must be whole (`demandWhole`)
 * @throws BACKUP_DAMAGED when a file was changed since, and what `restoreSite` throws
 */
export async function restoreFolder(
  database: SiteDatabase,
  { dir, proof, stores }: { dir: string; proof: FolderProof; stores: BlobStores },
  options: RestoreOptions,
): Promise<Restored> {
  const { head } = proof
  if (head === null || head.contents !== 'history' || head.path !== null) {
    throw new Error('only a whole backup can be restored')
  }
  const part = {
    parent: NO_PLACE,
    head: { position: head.position, chain: head.chain },
    open: async () => {
      if (!options.dryRun) await putFolderBlobs(dir, proof, stores, options.signal)
      return { secrets: secretsIn(dir), events: rawEvents(dir) }
    },
  }
  return restoreSite(database, [part], options)
}

/**
 * Loads a log that was made of what is in a backup into an empty site: of an edited one, or of a part.
 *
 * @param events from position 1, with a chain of their own
 * @throws as `restoreFolder`
 */
export async function restoreEvents(
  database: SiteDatabase,
  { dir, events, stores }: { dir: string; events: readonly ProvableEvent[]; stores: BlobStores },
  options: RestoreOptions,
): Promise<Restored> {
  const { position, chain } = events.at(-1) ?? NO_PLACE
  const tally = new Tally()
  const kept = new Set<string>()
  for (const { type, data } of events) {
    const payload = data === null ? null : (JSON.parse(data) as { credential?: string })
    const blob = blobOf(type, payload)
    if (blob !== null) tally.addBlob(blob, '') // its file is in the backup, under a name of then
    if (type === 'CredentialSet') kept.add(payload?.credential ?? '')
    if (type === 'CredentialRemoved') kept.delete(payload?.credential ?? '')
  }
  const part = {
    parent: NO_PLACE,
    head: { position, chain },
    open: async () => {
      if (!options.dryRun) await putFolderBlobs(dir, tally, stores, options.signal)
      const secrets = secretsIn(dir).filter(({ credential }) => kept.has(credential))
      return { secrets, events: inParts(events) }
    },
  }
  return restoreSite(database, [part], options)
}

const PART_EVENTS = 1_000

async function* inParts(events: readonly ProvableEvent[]): AsyncIterable<RawEvent[]> {
  for (let from = 0; from < events.length; from += PART_EVENTS) {
    yield events.slice(from, from + PART_EVENTS).map(rawOf)
  }
}

/** Keeps the bytes of all blobs that the backup has, in the stores that they belong in. */
export async function putFolderBlobs(
  dir: string,
  { blobs }: Pick<FolderProof, 'blobs'>,
  stores: BlobStores,
  signal?: AbortSignal,
): Promise<void> {
  for (const { kind, name, sha256 } of filesOf(dir)) {
    const use = blobs.get(sha256)
    if (kind !== 'blob' || use === undefined) continue
    for (const category of ['public', 'private'] as const) {
      signal?.throwIfAborted()
      if (use[category]) await putFolderBlob(dir, name, sha256, stores[category])
    }
  }
}

async function putFolderBlob(
  dir: string,
  name: string,
  sha256: string,
  store: BlobStores['public'],
): Promise<void> {
  const stored = await putBlob(store, join(dir, name)).catch(thrown => {
    const isOther = isRm3Error(thrown, 'SOURCE_NOT_FOUND') || isRm3Error(thrown, 'SOURCE_DAMAGED')
    throw isOther ? changed(name, thrown) : thrown
  })
  if (stored.sha256 !== sha256) throw changed(name)
}

/** The secrets of a backup that is whole. */
export function secretsIn(dir: string): Secret[] {
  const secrets: Secret[] = []
  for (const { line: _, ...secret } of unchanged(CREDENTIALS, readCredentials(dir))) {
    secrets.push(secret)
  }
  return secrets
}

/** All events of a backup, file by file. */
export async function* rawEvents(dir: string): AsyncIterable<RawEvent[]> {
  for (const entry of filesOf(dir)) {
    for (const events of historyOf(dir, entry)) yield events.map(rawOf)
  }
}

/** The events of a file, some at a time; of a file without a history none. @throws BACKUP_DAMAGED */
export function* historyOf(dir: string, entry: FileEntry): Iterable<ProvableEvent[]> {
  if (entry.kind === 'blob' || entry.kind === 'credentials') return
  const history = readHistory(dir, entry.name, streamOf(entry))
  for (const placed of unchanged(entry.name, history)) yield placed.map(({ event }) => event)
}

/** The files that the catalog lists. @throws BACKUP_DAMAGED */
export function filesOf(dir: string): Iterable<FileEntry> {
  return unchanged(CATALOG, listFiles(dir))
}

/** What is read of a file once more that was found whole before. */
function* unchanged<Item>(file: string, items: Iterable<Item>): Iterable<Item> {
  try {
    yield* items
  } catch (thrown) {
    throw thrown instanceof FileFault ? changed(file, thrown) : thrown
  }
}

function rawOf(event: ProvableEvent): RawEvent {
  const { previous: _, salt, bodyHash, chain, ...rest } = event
  return {
    ...rest,
    salt: salt === null ? null : Buffer.from(salt, 'hex'),
    bodyHash: Buffer.from(bodyHash, 'hex'),
    chain: Buffer.from(chain, 'hex'),
  }
}

function changed(file: string, cause?: Error): Rm3Error {
  const why = cause === undefined ? 'was changed' : `cannot be read as before (${cause.message})`
  return new Rm3Error('BACKUP_DAMAGED', `${file} ${why}, while the backup was being loaded`, {
    file,
    cause,
  })
}
