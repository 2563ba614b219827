import { join } from 'node:path'
import type { BlobStores } from '../../blobs/store.ts'
import { Rm3Error } from '../../errors.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { NO_PLACE, type RawEvent } from '../../log/raw.ts'
import type { SiteDatabase } from '../../pg/bulk.ts'
import type { Beside, PutBlobsOptions, WantedBlobs } from '../beside.ts'
import { putFile } from '../put-file.ts'
import { type Restored, type RestoreOptions, restoreSite, type Secret } from '../restore.ts'
import { rawOf } from '../restore-events.ts'
import { CATALOG, CREDENTIALS, type FileEntry, streamOf } from './format.ts'
import { listFiles } from './read-catalog.ts'
import { readCredentials } from './read-credentials.ts'
import { readHistory } from './read-history.ts'
import { FileFault } from './rules.ts'
import type { FolderProof } from './verify.ts'

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
      if (!options.dryRun)
        await putFolderBlobs(dir, proof.blobs, stores, { signal: options.signal })
      return { secrets: secretsIn(dir), events: rawEvents(dir) }
    },
  }
  return restoreSite(database, [part], options)
}

/** What a backup in a folder has beside its events. The backup must be whole (`demandWhole`). */
export function besideFolder(dir: string): Beside {
  return {
    secrets: () => secretsIn(dir),
    putBlobs: (wanted, stores, options) => putFolderBlobs(dir, wanted, stores, options),
  }
}

async function putFolderBlobs(
  dir: string,
  wanted: WantedBlobs,
  stores: BlobStores,
  { signal, onProgress }: PutBlobsOptions,
): Promise<void> {
  let done = 0
  for (const { kind, name, sha256 } of filesOf(dir)) {
    const use = wanted.get(sha256)
    if (kind !== 'blob' || use === undefined) continue
    for (const category of ['public', 'private'] as const) {
      signal?.throwIfAborted()
      if (!use[category]) continue
      if (!(await putFile(join(dir, name), sha256, stores[category]))) throw changed(name)
    }
    onProgress?.(++done, wanted.size)
  }
}

function secretsIn(dir: string): Secret[] {
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

function changed(file: string, cause?: FileFault): Rm3Error {
  const why = cause === undefined ? 'was changed' : `cannot be read as before (${cause.message})`
  return new Rm3Error('BACKUP_DAMAGED', `${file} ${why}, while the backup was being loaded`, {
    file,
    cause,
  })
}
