import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Packr } from 'msgpackr'
import { Rm3Error } from '../errors.ts'
import { checkJson, type Json } from './json.ts'

/** First byte: how the rest is kept. */
const PLAIN = 0x00
const DEFLATED = 0x01
/** Smaller values are not worth deflating. */
const DEFLATE_FROM_BYTES = 1024
/** Most bytes that packed ones may unfold to. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024
/** A segmented text has an item for each line, so there may be more than in a request. */
const PACK_LIMITS = { depthMax: 72, itemsMax: 8_000_000 }

/** Plain maps and no shared structures: nothing but the bytes is needed to read them. */
const packr = new Packr({ useRecords: false, variableMapSize: true })

/**
 * `value` as bytes: one that says how, then MessagePack, deflated (raw) when that has 1 KB or more.
 *
 * @throws JSON_INVALID for what would come back as something else (`__proto__` keys, lone surrogates, -0, undefined)
 */
export function pack(value: Json | object): Buffer {
  const bytes = packr.pack(checkJson(value, 'a value to pack', PACK_LIMITS))
  if (bytes.length < DEFLATE_FROM_BYTES) return Buffer.concat([Buffer.of(PLAIN), bytes])
  return Buffer.concat([Buffer.of(DEFLATED), deflateRawSync(bytes)])
}

/**
 * The value that `pack` made `bytes` of.
 *
 * @throws LOG_DAMAGED for any other bytes that can be told from packed ones: cut short, too long, not MessagePack of JSON
 */
export function unpack(bytes: Uint8Array): Json {
  try {
    return checkJson(packr.unpack(bodyOf(bytes)), 'a packed value', PACK_LIMITS)
  } catch (cause) {
    throw new Rm3Error('LOG_DAMAGED', 'Packed bytes of the log cannot be read.', {
      sizeBytes: bytes.length,
      cause,
    })
  }
}

function bodyOf(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(1)
  if (bytes[0] === PLAIN) return body
  if (bytes[0] !== DEFLATED) throw new Error('unknown first byte')
  const { buffer, engine } = inflate(body)
  if (engine.bytesWritten !== body.length) throw new Error('bytes after the end')
  return buffer
}

/** zlib stops at the end of the stream and says nothing of what follows; the engine tells how far it read. */
function inflate(body: Uint8Array): { buffer: Buffer; engine: { bytesWritten: number } } {
  const options = { info: true, maxOutputLength: UNPACKED_BYTES_MAX }
  return inflateRawSync(body, options) as unknown as ReturnType<typeof inflate>
}
