import { fromMessagePack } from '../../codec/message-pack.ts'
import { Rm3Error } from '../../errors.ts'
import type { RawEvent } from '../../log/raw.ts'
import { AGE_LINE_BYTES, decrypted, isAge } from '../age/stream.ts'
import type { Keys } from '../age/wrap.ts'
import type { Secret } from '../restore.ts'
import { parseBlob, parseEnd, parseHeader, parseSecrets } from './check-contents.ts'
import type { ArchivedBlob, ArchiveEnd, ArchiveHeader } from './contents.ts'
import { damagedAt, FRAMES, type Frame, FrameReader, type FrameType } from './frames.ts'
import { unpackEvents } from './pack-events.ts'

/** Most secrets that an archive has, and characters of them. */
const SECRETS_MAX = 2_000_000
const SECRET_CHARS_MAX = 64 * 1024 * 1024

/**
 * Opens an archive and reads its header.
 *
 * @param source its bytes, from the first on; encrypted ones are known by how they begin
 * @throws WRONG_KEY, BACKUP_NEWER, BACKUP_DAMAGED
 */
export async function openArchive(
  source: AsyncIterable<Uint8Array>,
  keys: Keys,
): Promise<ArchiveReader> {
  const { first, all } = await peeked(source, AGE_LINE_BYTES)
  const frames = new FrameReader(isAge(first) ? decrypted(all, keys) : all)
  const frame = await frames.next()
  if (frame.type !== 'H') throw damagedAt(frames.place, 'it does not begin with a header')
  const header = parsed(frames, () => parseHeader(fromMessagePack(frame.body)))
  return new ArchiveReader(frames, header)
}

/** The first bytes, and all of them. */
async function peeked(source: AsyncIterable<Uint8Array>, count: number) {
  const pieces = source[Symbol.asyncIterator]()
  const held: Uint8Array[] = []
  let first = Buffer.alloc(0)
  while (first.length < count) {
    const { value, done } = await pieces.next()
    if (done) break
    held.push(value)
    first = Buffer.concat([first, value])
  }
  const all = async function* () {
    yield* held
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value
  }
  return { first, all: all() }
}

function parsed<Value>(frames: FrameReader, parse: () => Value): Value {
  try {
    return parse()
  } catch (thrown) {
    if (thrown instanceof Rm3Error) throw thrown
    const text = thrown instanceof Error ? thrown.message : String(thrown)
    throw damagedAt(frames.place, text, thrown)
  }
}

/** A blob of an archive, whose bytes are to be read before anything else is. */
export interface ReadBlob extends ArchivedBlob {
  /** Of as many bytes as it says; nothing where it is missing. */
  readonly bytes: AsyncIterable<Buffer>
}

type Seen = Record<'blobs' | 'blobBytes' | 'missingBlobs' | 'secrets' | 'events', number>

/** What an archive holds, in its order: blobs, secrets, events. Each part is asked for once, also when it is not wanted. */
export class ArchiveReader {
  readonly header: ArchiveHeader
  readonly #frames: FrameReader
  #next: Frame | null = null
  readonly #seen: Seen = { blobs: 0, blobBytes: 0, missingBlobs: 0, secrets: 0, events: 0 }

  constructor(frames: FrameReader, header: ArchiveHeader) {
    this.#frames = frames
    this.header = header
  }

  /** Bytes of the (decrypted) archive that were read. */
  get offset(): number {
    return this.#frames.offset
  }

  async *blobs(): AsyncIterable<ReadBlob> {
    for (let frame = await this.#take('B'); frame !== null; frame = await this.#take('B')) {
      const { body } = frame
      const blob = parsed(this.#frames, () => parseBlob(fromMessagePack(body)))
      const bytes = this.#bytesOf(blob)
      yield { ...blob, bytes }
      // what was not read is read and thrown away
      for await (const _ of bytes);
      this.#seen.missingBlobs += blob.missing ? 1 : 0
      this.#seen.blobs += blob.missing ? 0 : 1
      this.#seen.blobBytes += blob.missing ? 0 : blob.sizeBytes
    }
  }

  async *#bytesOf({ sha256, sizeBytes, missing }: ArchivedBlob): AsyncGenerator<Buffer> {
    let left = missing ? 0 : sizeBytes
    for (let frame = await this.#take('D'); frame !== null; frame = await this.#take('D')) {
      left -= frame.body.length
      if (left < 0) throw this.#damaged(`the blob ${sha256} has more bytes than it says`)
      yield frame.body
    }
    if (left > 0) throw this.#damaged(`the blob ${sha256} has ${left} bytes less than it says`)
  }

  async secrets(): Promise<Secret[]> {
    const secrets: Secret[] = []
    for await (const some of this.#secretFrames()) for (const secret of some) secrets.push(secret)
    return secrets
  }

  /** Looks at the secrets, for who does not want them: none is held. */
  async passSecrets(): Promise<void> {
    for await (const _ of this.#secretFrames());
  }

  async *#secretFrames(): AsyncGenerator<readonly Secret[]> {
    let chars = 0
    for (let frame = await this.#take('S'); frame !== null; frame = await this.#take('S')) {
      const { body } = frame
      const some = parsed(this.#frames, () => parseSecrets(fromMessagePack(body)))
      this.#seen.secrets += some.length
      for (const { secret } of some) chars += secret.length
      if (this.#seen.secrets > SECRETS_MAX || chars > SECRET_CHARS_MAX)
        throw this.#damaged('it holds too many secrets')
      yield some
    }
  }

  /** The events; whoever reads them to the end has read all of the archive, and it is whole. */
  async *events(): AsyncGenerator<RawEvent[], ArchiveEnd> {
    const { parent, head } = this.header
    let { position } = parent
    let chain: Buffer = Buffer.from(parent.chain, 'hex')
    let recordedAt: string | null = position === head.position ? head.recordedAt : null
    for (let frame = await this.#take('E'); frame !== null; frame = await this.#take('E')) {
      const { body } = frame
      const events = parsed(this.#frames, () => unpackEvents(body, chain))
      if (events[0]?.position !== position + 1)
        throw this.#damaged('its events are not those that come next')
      this.#demandTimes(events, recordedAt)
      position += events.length
      ;({ chain, recordedAt } = events.at(-1) as RawEvent)
      this.#seen.events += events.length
      yield events
    }
    const end = await this.#end()
    if (position !== head.position)
      throw this.#damaged(`the events end at position ${position}, not ${head.position}`)
    if (chain.toString('hex') !== head.chain)
      throw this.#damaged(`the chain value at position ${position} is not the one in the header`)
    if (recordedAt !== head.recordedAt)
      throw this.#damaged(`the last event was recorded at ${recordedAt}, not ${head.recordedAt}`)
    return end
  }

  /** Of instants with four digits for the year the order of texts is that of times, and before all others. */
  #demandTimes(events: readonly RawEvent[], before: string | null): void {
    let last = before ?? ''
    for (const { position, recordedAt } of events) {
      if (recordedAt < last)
        throw this.#damaged(
          `the event at position ${position} was recorded before the one ahead of it`,
        )
      last = recordedAt
    }
  }

  async #end(): Promise<ArchiveEnd> {
    const frame = await this.#take('Z')
    if (frame === null) {
      throw this.#damaged(`here stands ${FRAMES[this.#next?.type ?? 'Z']}, not what comes next`)
    }
    const end = parsed(this.#frames, () => parseEnd(fromMessagePack(frame.body)))
    for (const [name, count] of Object.entries(this.#seen)) {
      const told = end[name as keyof Seen]
      if (told !== count) throw this.#damaged(`it tells of ${told} ${name}, and there are ${count}`)
    }
    await this.#frames.end()
    return end
  }

  /** The next frame when it is of a type; else it stays for later. */
  async #take(type: FrameType): Promise<Frame | null> {
    this.#next ??= await this.#frames.next()
    if (this.#next.type !== type) return null
    const frame = this.#next
    this.#next = null
    return frame
  }

  #damaged(text: string): Rm3Error {
    return damagedAt(this.#frames.place, text)
  }
}
