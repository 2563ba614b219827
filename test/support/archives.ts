import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { inflateRawSync } from 'node:zlib'
import type { Keys } from '../../src/backup/age/wrap.ts'
import { FrameChain, MAGIC } from '../../src/backup/archive/frames.ts'
import {
  type ArchiveSource,
  archiveParts,
  type LoadedArchive,
} from '../../src/backup/archive/load.ts'
import { packEvents } from '../../src/backup/archive/pack-events.ts'
import { openArchive } from '../../src/backup/archive/read.ts'
import {
  type ArchiveSummary,
  type WriteArchiveOptions,
  writeArchive,
} from '../../src/backup/archive/write.ts'
import { type Restored, type RestoreOptions, restoreSite } from '../../src/backup/restore.ts'
import { type BlobStores, openBlobStore } from '../../src/blobs/store.ts'
import { fromMessagePack, toMessagePack } from '../../src/codec/message-pack.ts'
import { chainLink } from '../../src/log/chain.ts'
import { bodyHash } from '../../src/log/event.ts'
import type { RawEvent } from '../../src/log/raw.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { TEST_SITE } from './database.ts'

export const NO_KEYS: Keys = { identities: [], passphrase: null }
const HEAD_BYTES = 12
const CHECKSUM_BYTES = 32

/** Stores of blobs in a folder of their own, and what removes it. */
export async function tempStores(): Promise<BlobStores & { remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'rm3-blobs-'))
  return {
    public: await openBlobStore(join(folder, 'public')),
    private: await openBlobStore(join(folder, 'private')),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** The archive of a site, in memory. */
export async function archiveOf(
  url: string,
  blobs: BlobStores,
  options: Partial<WriteArchiveOptions> = {},
): Promise<{ bytes: Buffer; summary: ArchiveSummary }> {
  const parts: Buffer[] = []
  const out = new Writable({
    write: (part, _, done) => {
      parts.push(part)
      done()
    },
  })
  const from = { database: { url, site: TEST_SITE }, blobs }
  const summary = await writeArchive(from, { out, program: 'test', ...options })
  return { bytes: Buffer.concat(parts), summary }
}

/** Loads archives into a site. */
export async function loadInto(
  url: string,
  archives: readonly (Buffer | AsyncIterable<Uint8Array>)[],
  {
    stores,
    keys = NO_KEYS,
    ...more
  }: { stores: BlobStores | null; keys?: Keys } & Partial<RestoreOptions>,
): Promise<{ restored: Restored; loaded: LoadedArchive[] }> {
  const loaded: LoadedArchive[] = []
  const sources = archives.map((archive, index): ArchiveSource => {
    const bytes = Buffer.isBuffer(archive) ? piecesOf(archive) : archive
    return { name: `archive ${index}`, open: async () => ({ bytes, close: async () => {} }) }
  })
  const projections = await discoverProjections()
  const restored = await restoreSite(
    { url, site: TEST_SITE },
    archiveParts(sources, loaded, { keys, stores }),
    { projections, allowUnsafe: true, ...more },
  )
  return { restored, loaded }
}

/** Bytes as a file or a pipe gives them. */
export async function* piecesOf(bytes: Buffer, sizeBytes = 40_009): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += sizeBytes) {
    yield bytes.subarray(from, from + sizeBytes)
  }
}

/** The frames of a plain archive, each with its head and checksum. */
export function framesOf(archive: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = MAGIC.length; at < archive.length; ) {
    const end = at + HEAD_BYTES + archive.readUInt32BE(at + 4) + CHECKSUM_BYTES
    frames.push(archive.subarray(at, end))
    at = end
  }
  return frames
}

/** An archive of frames, whose checksums are made to fit, as one who forges it would. */
export function forged(frames: readonly Buffer[]): Buffer {
  const chain = new FrameChain()
  return Buffer.concat([
    MAGIC,
    ...frames.flatMap(frame => {
      const head = frame.subarray(0, HEAD_BYTES)
      const body = frame.subarray(HEAD_BYTES, frame.length - CHECKSUM_BYTES)
      return [head, body, chain.next(head, body)]
    }),
  ])
}

/** A frame that holds bytes as they are. */
export function frameOf(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(type, 'latin1')
  head.writeUInt32BE(body.length, 4)
  head.writeUInt32BE(body.length, 8)
  return Buffer.concat([head, body, Buffer.alloc(CHECKSUM_BYTES)])
}

/** The events of a plain archive. */
export async function eventsIn(archive: Buffer): Promise<RawEvent[]> {
  const reader = await openArchive(piecesOf(archive), NO_KEYS)
  for await (const _ of reader.blobs());
  await reader.secrets()
  const all: RawEvent[] = []
  for await (const some of reader.events()) all.push(...some)
  return all
}

/** An archive with other events in place of its own, with hashes, a chain, counts and a header that fit. */
export function withEvents(archive: Buffer, events: readonly RawEvent[]): Buffer {
  const frames = framesOf(archive).filter(frame => frame[0] !== 'E'.charCodeAt(0))
  const [first, ...rest] = frames as [Buffer, ...Buffer[]]
  let chain: Buffer = Buffer.alloc(32)
  for (const event of events) {
    const { salt, note, meta, data } = event
    const body = salt === null ? event.bodyHash : bodyHash(salt, note, meta, data)
    chain = chainLink(chain, event, body)
  }
  const { head, ...header } = fieldsOf(first)
  const position = events.at(-1)?.position ?? 0
  const place = { ...(head as object), position, chain: chain.toString('hex') }
  const end = { ...fieldsOf(rest.pop() as Buffer), events: events.length }
  return forged([
    frameOf('H', toMessagePack({ ...header, head: place })),
    ...rest,
    frameOf('E', packEvents(events)),
    frameOf('Z', toMessagePack(end)),
  ])
}

function fieldsOf(frame: Buffer): Record<string, unknown> {
  const body = frame.subarray(HEAD_BYTES, -CHECKSUM_BYTES)
  return fromMessagePack(frame[1] === 0 ? body : inflateRawSync(body)) as Record<string, unknown>
}
