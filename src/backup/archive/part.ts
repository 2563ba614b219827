import { putBlob } from '../../blobs/store.ts'
import { isUnder } from '../../content/path.ts'
import { standInsOf } from '../../content/stand-ins.ts'
import { Rm3Error } from '../../errors.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { type LogPlace, NO_PLACE, type RawEvent } from '../../log/raw.ts'
import { isSamePlace } from '../../log/restore.ts'
import type { Keys } from '../age/wrap.ts'
import type { Beside, PutBlobsOptions, WantedBlobs } from '../beside.ts'
import { HistoryCheck } from '../folder/check-history.ts'
import { FileFault } from '../folder/rules.ts'
import { Tally } from '../folder/tally.ts'
import type { Secret } from '../restore.ts'
import type { ArchiveHeader } from './contents.ts'
import type { ArchiveSource } from './load.ts'
import { type ArchiveReader, openArchive } from './read.ts'
import { otherBytes, proveBlob } from './verify.ts'

export interface ArchivePartOptions {
  /** What ends at it or below it, without the site's grants and settings; null for all. */
  readonly path: string | null
  readonly keys: Keys
  readonly signal?: AbortSignal | undefined
  /** Told positions that were read, of all archives, once for proving them and once for taking what is wanted. */
  readonly onProgress?:
    | ((step: 'verifying' | 'reading', done: number, total: number) => void)
    | undefined
}

/** What archives tell of a part of a site. */
export interface ArchivePart {
  readonly head: ArchiveHeader['head']
  /** In the order of the log. What a later archive erased is erased. */
  readonly events: readonly ProvableEvent[]
  readonly beside: Beside
}

/**
 * Reads a part of what archives tell, the first a whole one and each other the continuation of the one before. All of them are read and
 * proved first, then read again for the histories that are wanted, which are held in memory, each folded and proved as those of a folder are.
 *
 * @param sources that can be opened several times
 * @throws PAGE_NOT_FOUND when there is nothing at the path; BACKUP_INCOMPLETE when what the first one continues is not there; BACKUP_DAMAGED, WRONG_KEY,
 *   BACKUP_NEWER, SOURCE_NOT_FOUND
 */
export async function readArchivePart(
  sources: readonly ArchiveSource[],
  options: ArchivePartOptions,
): Promise<ArchivePart> {
  const { streams, secrets, head } = await prove(sources, options)
  const histories = new Map<string, ProvableEvent[]>()
  for (const source of sources) {
    await within(source, options.keys, async archive => {
      for await (const event of provable(archive, 'reading', options)) {
        if (!streams.has(event.stream)) continue
        const history = histories.get(event.stream) ?? []
        histories.set(event.stream, history)
        history.push(event)
      }
    })
  }
  const wanted = [...histories.values()].filter(history => isWanted(history, options.path))
  if (options.path !== null && wanted.length === 0) {
    const message = `the backup has nothing at or below ${options.path}`
    throw new Rm3Error('PAGE_NOT_FOUND', message, { path: options.path })
  }
  const events = wanted.flatMap(withoutErased)
  events.sort((one, other) => one.position - other.position)
  return { head, events, beside: besideArchives(sources, options.keys, secrets) }
}

interface Proved {
  /** Those that may be wanted. */
  readonly streams: ReadonlySet<string>
  readonly secrets: readonly Secret[]
  readonly head: ArchiveHeader['head']
}

async function prove(
  sources: readonly ArchiveSource[],
  options: ArchivePartOptions,
): Promise<Proved> {
  const streams = new Set<string>()
  let place: ArchiveHeader['head'] = { ...NO_PLACE, recordedAt: null }
  let secrets: readonly Secret[] = []
  for (const source of sources) {
    await within(source, options.keys, async archive => {
      const { parent, head } = archive.header
      if (!isSamePlace(place, parent)) throw notContinued(source.name, place, parent)
      for await (const blob of archive.blobs()) await proveBlob(blob)
      secrets = await archive.secrets()
      for await (const event of provable(archive, 'verifying', options)) {
        noteStream(streams, event, options.path)
      }
      place = head
    })
  }
  return { streams, secrets, head: place }
}

/** Remembers a stream while it is where it is wanted; of one that was emptied only all of its events can tell. */
function noteStream(streams: Set<string>, event: ProvableEvent, path: string | null): void {
  const { stream, type, data, salt } = event
  if (path === null || salt === null) {
    streams.add(stream)
    return
  }
  const moves = type === 'PageCreated' || type === 'PageMoved' || type === 'PageUndeleted'
  if (!moves || data === null) return
  const told = JSON.parse(data) as { path?: string; to?: string }
  if (isUnder(String(told.to ?? told.path), path)) streams.add(stream)
  else streams.delete(stream)
}

/** Reads the archive's events to its end, having passed over what stands before them. */
async function* provable(
  archive: ArchiveReader,
  step: 'verifying' | 'reading',
  { signal, onProgress }: ArchivePartOptions,
): AsyncIterable<ProvableEvent> {
  const { parent, head } = archive.header
  if (step === 'reading') {
    for await (const _ of archive.blobs());
    await archive.passSecrets()
  }
  let previous = parent.chain
  for await (const batch of archive.events()) {
    signal?.throwIfAborted()
    for (const event of batch) {
      const told = provableOf(event, previous)
      previous = told.chain
      yield told
    }
    onProgress?.(step, batch.at(-1)?.position ?? 0, head.position)
  }
}

function provableOf(
  { salt, bodyHash, chain, ...event }: RawEvent,
  previous: string,
): ProvableEvent {
  return {
    ...event,
    salt: salt?.toString('hex') ?? null,
    bodyHash: bodyHash.toString('hex'),
    chain: chain.toString('hex'),
    previous,
  }
}

/** Proves and folds a history. @returns whether it ends where it is wanted */
function isWanted(history: readonly ProvableEvent[], path: string | null): boolean {
  const check = new HistoryCheck({ tally: new Tally(), path: '' }, () => standInsOf(history))
  try {
    for (const event of history) check.add(event, `position ${event.position}`)
  } catch (thrown) {
    if (!(thrown instanceof FileFault)) throw thrown
    throw new Rm3Error('BACKUP_DAMAGED', `the archive is damaged: ${thrown.message}`, {
      cause: thrown,
    })
  }
  const { state } = check.end()
  return path === null || (state?.kind === 'entity' && isUnder(state.path, path))
}

/** An increment may have erased what the archive before it says: events that something stands in for are empty. */
function withoutErased(history: readonly ProvableEvent[]): ProvableEvent[] {
  const standIns = standInsOf(history)
  const nothing = { note: null, meta: null, data: null, salt: null }
  return history.map(event => (standIns.has(event.revision) ? { ...event, ...nothing } : event))
}

function besideArchives(
  sources: readonly ArchiveSource[],
  keys: Keys,
  secrets: readonly Secret[],
): Beside {
  return {
    secrets: () => secrets,
    putBlobs: async (wanted, stores, options) => {
      let done = 0
      for (const source of sources) {
        await within(source, keys, async archive => {
          done = await putBlobsOf(archive, { wanted, stores, done }, options)
        })
      }
    },
  }
}

async function putBlobsOf(
  archive: ArchiveReader,
  {
    wanted,
    stores,
    done,
  }: { wanted: WantedBlobs; stores: Parameters<Beside['putBlobs']>[1]; done: number },
  { signal, onProgress }: PutBlobsOptions,
): Promise<number> {
  let put = done
  for await (const blob of archive.blobs()) {
    signal?.throwIfAborted()
    if (blob.missing || !wanted.get(blob.sha256)?.[blob.category]) continue
    const { sha256 } = await putBlob(stores[blob.category], blob.bytes)
    if (sha256 !== blob.sha256) throw otherBytes(blob)
    onProgress?.(++put, wanted.size)
  }
  return put
}

async function within(
  source: ArchiveSource,
  keys: Keys,
  work: (archive: ArchiveReader) => Promise<void>,
): Promise<void> {
  const { bytes, close } = await source.open()
  try {
    await work(await openArchive(bytes, keys))
  } finally {
    await close()
  }
}

function notContinued(name: string, { position }: LogPlace, parent: LogPlace): Rm3Error {
  return new Rm3Error(
    'BACKUP_INCOMPLETE',
    `${name} goes on from position ${parent.position}, and what was named before it ends at ${position}: name first what it continues`,
    { position, parent: parent.position },
  )
}
