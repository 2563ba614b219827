/** How deep values may be nested: a list in a map is 2. */
const DEPTH_MAX = 16
/** Values in all, keys counted. */
const VALUES_MAX = 1_000_000

/** By first byte from 0xc0: bytes that a value of fixed length has behind it; what is missing here and below is not taken (types of applications, 0xc1). */
const FIXED: Readonly<Record<number, number>> = {
  ...{ 192: 0, 194: 0, 195: 0, 202: 4, 203: 8 },
  ...{ 204: 1, 205: 2, 206: 4, 207: 8, 208: 1, 209: 2, 210: 4, 211: 8 },
}
/** Bytes of the length of what is as long as it says: bin, str, array and map. */
const LENGTH_BYTES: Readonly<Record<number, number>> = {
  ...{ 196: 1, 197: 2, 198: 4, 217: 1, 218: 2, 219: 4 },
  ...{ 220: 2, 221: 4, 222: 2, 223: 4 },
}
const ARRAY_16 = 0xdc
const MAP_16 = 0xde
const MAP_32 = 0xdf

/** What begins at a place: its bytes, and the values inside of it that follow. */
interface Head {
  readonly sizeBytes: number
  readonly values: number
}

/**
 * Demands that bytes are one value of MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) and no more, of plain types
 * alone, before anything is made of it: what a few bytes say may be a list of billions, a level for each byte, or a type with a meaning
 * of its own.
 *
 * @throws an Error saying what is wrong
 */
export function demandPlain(bytes: Uint8Array): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** Of each container that is open, values that are still to come. */
  const open: number[] = [1]
  let at = 0
  let values = 0
  while (open.length > 0) {
    const left = open.length - 1
    if (open[left] === 0) {
      open.pop()
      continue
    }
    ;(open[left] as number)--
    const head = headAt(view, at)
    at += head.sizeBytes
    values += 1 + head.values
    if (at + head.values > view.length) throw new Error('it ends too early')
    if (values > VALUES_MAX) throw new Error(`it holds more than ${VALUES_MAX} values`)
    if (open.length > DEPTH_MAX) throw new Error(`it is nested deeper than ${DEPTH_MAX}`)
    if (head.values > 0) open.push(head.values)
  }
  if (at < view.length) throw new Error('something follows it')
}

function headAt(view: Buffer, at: number): Head {
  const first = view[at]
  if (first === undefined) throw new Error('it ends too early')
  if (first < 0x80 || first >= 0xe0) return { sizeBytes: 1, values: 0 }
  if (first < 0x90) return { sizeBytes: 1, values: 2 * (first & 0x0f) }
  if (first < 0xa0) return { sizeBytes: 1, values: first & 0x0f }
  if (first < 0xc0) return { sizeBytes: 1 + (first & 0x1f), values: 0 }
  const fixed = FIXED[first]
  if (fixed !== undefined) return { sizeBytes: 1 + fixed, values: 0 }
  const lengthBytes = LENGTH_BYTES[first]
  if (lengthBytes === undefined) throw new Error('it holds a type that is not plain')
  if (at + 1 + lengthBytes > view.length) throw new Error('it ends too early')
  const length = view.readUIntBE(at + 1, lengthBytes)
  if (first < ARRAY_16) return { sizeBytes: 1 + lengthBytes + length, values: 0 }
  const isMap = first === MAP_16 || first === MAP_32
  return { sizeBytes: 1 + lengthBytes, values: isMap ? 2 * length : length }
}
