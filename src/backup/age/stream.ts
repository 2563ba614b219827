import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { damaged } from './damage.ts'
import { AGE_LINE, formatHeader, parseHeader } from './header.ts'
import { type Encryption, FILE_KEY_BYTES, type Keys, unwrapKey, wrapKey } from './wrap.ts'

/** Bytes of a chunk of plain text; each is sealed with a number, and the last with a mark (STREAM, https://age-encryption.org/v1). */
const CHUNK_BYTES = 64 * 1024
const TAG_BYTES = 16
const NONCE_BYTES = 16
const KEY_BYTES = 32
const HEADER_BYTES_MAX = 64 * 1024
const HEADER_END = Buffer.from('\n--- ')

/** Whether a file begins as one that age wrote. @param bytes the first ones of it */
export function isAge(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).toString('latin1', 0, AGE_LINE.length) === AGE_LINE
}
export const AGE_LINE_BYTES = AGE_LINE.length

/** Plain text on its way into a file in the format of age, version 1. The end is only written by `end`: before, nobody can take it for whole. */
export class Encrypter {
  readonly #cipher: ChunkCipher
  readonly #start: Buffer
  #held: Buffer[] = []
  #heldBytes = 0

  static async begin(encryption: Encryption): Promise<Encrypter> {
    const fileKey = randomBytes(FILE_KEY_BYTES)
    const header = formatHeader(await wrapKey(fileKey, encryption), fileKey)
    return new Encrypter(fileKey, header)
  }

  private constructor(fileKey: Buffer, header: Buffer) {
    const nonce = randomBytes(NONCE_BYTES)
    this.#cipher = new ChunkCipher(payloadKey(fileKey, nonce))
    this.#start = Buffer.concat([header, nonce])
  }

  /** What stands before everything else. */
  get start(): Buffer {
    return this.#start
  }

  /** @returns sealed chunks; [] while there is less than one and a byte */
  add(bytes: Buffer): Buffer[] {
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes <= CHUNK_BYTES) return []
    const all = Buffer.concat(this.#held, this.#heldBytes)
    const sealed: Buffer[] = []
    let from = 0
    // the last chunk is not empty but where the file is: one byte at least is kept for it
    for (; from + CHUNK_BYTES < all.length; from += CHUNK_BYTES) {
      sealed.push(this.#cipher.seal(all.subarray(from, from + CHUNK_BYTES), false))
    }
    this.#held = [all.subarray(from)]
    this.#heldBytes = all.length - from
    return sealed
  }

  /** The last chunk. */
  end(): Buffer {
    return this.#cipher.seal(Buffer.concat(this.#held, this.#heldBytes), true)
  }
}

/**
 * The plain text of a file in the format of age, chunk by chunk, each proved before it is given.
 *
 * @throws WRONG_KEY before anything is given; BACKUP_DAMAGED naming the byte at which the damaged chunk begins
 */
export async function* decrypted(
  source: AsyncIterable<Uint8Array>,
  keys: Keys,
): AsyncIterable<Buffer> {
  const pieces = source[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const { value, done } = await pieces.next()
    if (!done) held = Buffer.concat([held, value])
    return !done
  }
  let headerEnd = endOfHeader(held)
  while (headerEnd === null) {
    if (held.length > HEADER_BYTES_MAX || !(await more())) throw damaged('its header is cut short')
    headerEnd = endOfHeader(held)
  }
  const header = parseHeader(held.toString('latin1', 0, headerEnd))
  const fileKey = await unwrapKey(header, keys)
  let offset = headerEnd + 1 + NONCE_BYTES
  while (held.length < offset) if (!(await more())) throw damaged('it is cut short')
  const cipher = new ChunkCipher(payloadKey(fileKey, held.subarray(headerEnd + 1, offset)))
  held = held.subarray(offset)
  for (let chunk = 1; ; chunk++) {
    // one byte more tells that it is not the last
    let isMore = true
    while (isMore && held.length <= CHUNK_BYTES + TAG_BYTES) isMore = await more()
    const isLast = held.length <= CHUNK_BYTES + TAG_BYTES
    const sealed = held.subarray(0, CHUNK_BYTES + TAG_BYTES)
    const plain = cipher.open(sealed, isLast)
    const isEmpty = plain?.length === 0 && chunk > 1
    if (plain === null || isEmpty) throw damagedChunk(chunk, offset, isLast)
    yield plain
    if (isLast) return
    offset += sealed.length
    held = held.subarray(sealed.length)
  }
}

function endOfHeader(bytes: Buffer): number | null {
  const last = bytes.indexOf(HEADER_END)
  const end = last < 0 ? -1 : bytes.indexOf('\n', last + HEADER_END.length)
  return end < 0 ? null : end
}

function damagedChunk(chunk: number, offset: number, isLast: boolean): Error {
  const text = isLast ? 'it was changed, or is cut short there' : 'it was changed'
  return damaged(`chunk ${chunk}, which begins at byte ${offset}: ${text}`, { chunk, offset })
}

function payloadKey(fileKey: Buffer, nonce: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', KEY_BYTES))
}

/** Chunks in their order: eleven bytes of nonce count them, the twelfth marks the last. */
class ChunkCipher {
  readonly #key: Buffer
  #chunk = 0

  constructor(key: Buffer) {
    this.#key = key
  }

  seal(plain: Buffer, isLast: boolean): Buffer {
    const cipher = createCipheriv('chacha20-poly1305', this.#key, this.#nonce(isLast), {
      authTagLength: TAG_BYTES,
    })
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  }

  /** @returns null when it is not what was sealed as this chunk */
  open(sealed: Buffer, isLast: boolean): Buffer | null {
    if (sealed.length < TAG_BYTES) return null
    const cipher = createDecipheriv('chacha20-poly1305', this.#key, this.#nonce(isLast), {
      authTagLength: TAG_BYTES,
    })
    const end = sealed.length - TAG_BYTES
    cipher.setAuthTag(sealed.subarray(end))
    try {
      return Buffer.concat([cipher.update(sealed.subarray(0, end)), cipher.final()])
    } catch {
      return null
    }
  }

  #nonce(isLast: boolean): Buffer {
    const nonce = Buffer.alloc(12)
    nonce.writeUIntBE(this.#chunk++, 5, 6)
    nonce[11] = isLast ? 1 : 0
    return nonce
  }
}
