import type { Writable } from 'node:stream'
import type { BlobStores } from '../../blobs/store.ts'
import { toMessagePack } from '../../codec/message-pack.ts'
import { Rm3Error } from '../../errors.ts'
import { isErasedSince } from '../../log/erase.ts'
import { type LogPlace, type RawEvent, readRawLog } from '../../log/raw.ts'
import { type LogHead, readHead } from '../../log/read.ts'
import { eventFault } from '../../log/verify.ts'
import { type Bulk, openBulk, type SiteDatabase } from '../../pg/bulk.ts'
import { type Db, find } from '../../pg/db.ts'
import type { Encryption } from '../age/wrap.ts'
import { readSecrets } from '../secrets.ts'
import type { ArchiveEnd, ArchiveHeader, ArchiveRun } from './contents.ts'
import { ArchiveOutput } from './output.ts'
import { packEvents } from './pack-events.ts'
import { writeBlobs } from './write-blobs.ts'

/** Places at which a test may kill the process. */
export type ArchivePoint = 'begun' | 'blobs-written' | 'events-half' | 'events-written' | 'ended'

export interface WriteArchiveOptions {
  readonly out: Writable
  /** Only what came behind this position. */
  readonly since?: number | undefined
  /** Only what came up to this position of the log; all when not given. */
  readonly until?: number | undefined
  readonly encryption?: Encryption | undefined
  /** Goes on where the bytes of a blob are missing, and says so in the archive. */
  readonly allowIncomplete?: boolean | undefined
  /** Version of rm3. */
  readonly program: string
  readonly signal?: AbortSignal | undefined
  readonly onProgress?:
    | ((step: 'files' | 'events', done: number, total: number) => void)
    | undefined
  readonly reached?: ((point: ArchivePoint) => void) | undefined
}

/** What an archive holds. */
export interface ArchiveSummary extends ArchiveHeader, ArchiveEnd {
  /** As written: compressed, and encrypted where that was wanted. */
  readonly sizeBytes: number
}

/** Events of a frame: so many, or so many characters of data. */
const EVENTS_MAX = 500
const CHARACTERS_MAX = 512 * 1024
const SECRETS_MAX = 1_000
const START: LogPlace = { position: 0, chain: '00'.repeat(32) }

/**
 * Writes the log of a site up to its head as it is at the start, or to an earlier position, with the blobs that it speaks of and the secrets that are in force, as one
 * stream. The site may go on; memory is bounded, whatever the size. The log is proved on the way: a damaged one is not saved as if it were whole.
 *
 * The stream is left open. What was written is only whole when this fulfils.
 *
 * @throws LOG_DAMAGED, BLOB_MISSING, AT_INVALID when `since` or `until` is behind the head, LOG_BUSY when something was erased meanwhile, ERASED when it was
 *   behind `until`, DISK_FULL, UNAVAILABLE, what the stream throws
 */
export async function writeArchive(
  { database, blobs }: { database: SiteDatabase; blobs: BlobStores },
  options: WriteArchiveOptions,
): Promise<ArchiveSummary> {
  const { out, encryption, reached } = options
  const bulk = await openBulk(database)
  try {
    const head = await endOf(bulk.db, options.until)
    const header = await headerOf(bulk, head, options.since ?? 0)
    const output = await ArchiveOutput.begin(out, encryption ?? null)
    await output.add({ type: 'H', body: toMessagePack(header) })
    reached?.('begun')
    const written = await writeBlobs(output, { bulk, blobs, header }, options)
    reached?.('blobs-written')
    const secrets = await writeSecrets(output, bulk, head.position)
    const events = await writeEvents(output, bulk, header, options)
    if (await isErasedSince(bulk.db, head.position)) throw erasedSince(head, options)
    reached?.('events-written')
    const end: ArchiveEnd = { events, ...written, secrets, run: runOf(database, head, options) }
    await output.add({ type: 'Z', body: toMessagePack(end) })
    await output.end()
    reached?.('ended')
    return { ...header, ...end, sizeBytes: output.sizeBytes }
  } finally {
    await bulk.close()
  }
}

const PLACE = `select position, encode(chain, 'hex') as chain, recorded_at as "recordedAt" from log where position = $1::bigint`

/** The end of the log, or an earlier position in its place. */
async function endOf(db: Db, until: number | undefined): Promise<LogHead> {
  const head = await readHead(db)
  if (until === undefined || until === head.position) return head
  if (until > head.position) throw behindEnd(head, until)
  const place = await find<LogPlace & { recordedAt: string }>(db, PLACE, [until])
  return { ...head, ...(place ?? { ...START, recordedAt: head.recordedAt }) }
}

function behindEnd({ position }: LogHead, wanted: number): Rm3Error {
  const message = `the log ends at position ${position}, before ${wanted}`
  return new Rm3Error('AT_INVALID', message, { position })
}

function erasedSince({ position }: LogHead, { until }: WriteArchiveOptions): Rm3Error {
  if (until === undefined) {
    const message = 'something was erased while the archive was written; begin anew'
    return new Rm3Error('LOG_BUSY', message)
  }
  const message = `something that the log says up to position ${position} was erased since: an archive has to be of a later position`
  return new Rm3Error('ERASED', message, { position })
}

async function headerOf(bulk: Bulk, head: LogHead, since: number): Promise<ArchiveHeader> {
  const { position, chain, recordedAt } = head
  const parent =
    since === 0 || since > position ? START : await find<LogPlace>(bulk.db, PLACE, [since])
  if (parent === null || since > position) throw behindEnd(head, since)
  return {
    ...{ format: 'rm3-archive', version: 1 },
    parent: { position: parent.position, chain: parent.chain },
    head: { position, chain, recordedAt: position === 0 ? null : recordedAt },
  }
}

async function writeSecrets(output: ArchiveOutput, bulk: Bulk, position: number): Promise<number> {
  const secrets = await readSecrets(bulk.db, position)
  for (let from = 0; from < secrets.length; from += SECRETS_MAX) {
    const some = secrets.slice(from, from + SECRETS_MAX)
    const rows = some.map(({ credential, userId, secret, created }) => [
      ...[credential, userId, secret, created],
    ])
    await output.add({ type: 'S', body: toMessagePack(rows) })
  }
  return secrets.length
}

async function writeEvents(
  output: ArchiveOutput,
  bulk: Bulk,
  { parent, head }: ArchiveHeader,
  { signal, onProgress, reached }: WriteArchiveOptions,
): Promise<number> {
  const total = head.position - parent.position
  const half = parent.position + Math.floor(total / 2)
  const proof = new Proof(parent)
  let batch: RawEvent[] = []
  let characters = 0
  const send = async () => {
    signal?.throwIfAborted()
    await output.add({ type: 'E', body: packEvents(batch) })
    const position = batch.at(-1)?.position ?? 0
    if (position - batch.length < half && position >= half) reached?.('events-half')
    onProgress?.('events', position - parent.position, total)
    batch = []
    characters = 0
  }
  for await (const read of readRawLog(bulk, { after: parent.position, until: head.position })) {
    for (const event of read) {
      proof.add(event)
      batch.push(event)
      characters += event.data?.length ?? 0
      if (batch.length >= EVENTS_MAX || characters >= CHARACTERS_MAX) await send()
    }
  }
  if (batch.length > 0) await send()
  proof.end(head)
  return total
}

/** Proves events, one after the other, against their hashes and the chain. */
class Proof {
  #chain: Buffer
  #previous: { position: number; recordedAt: string } | null

  constructor({ position, chain }: LogPlace) {
    this.#chain = Buffer.from(chain, 'hex')
    this.#previous = position === 0 ? null : { position, recordedAt: '' }
  }

  /** @throws LOG_DAMAGED */
  add(event: RawEvent): void {
    const fault = eventFault(event, this.#previous, this.#chain)
    if (fault !== null) throw damagedLog(fault.position, fault.text)
    this.#chain = event.chain
    this.#previous = event
  }

  /** @throws LOG_DAMAGED */
  end({ position, chain }: LogPlace): void {
    if (this.#chain.toString('hex') === chain) return
    throw damagedLog(position, 'the chain value is not the one in log_head')
  }
}

function damagedLog(position: number, text: string): Rm3Error {
  return new Rm3Error(
    'LOG_DAMAGED',
    `the log is damaged at position ${position}, and was not saved: ${text}; see rm3admin verify`,
    { position },
  )
}

function runOf(
  { site }: SiteDatabase,
  { epoch }: LogHead,
  { program }: WriteArchiveOptions,
): ArchiveRun {
  return { site, epoch, created: new Date().toISOString(), program }
}
