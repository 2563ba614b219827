import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { damaged } from './damage.ts'

/** The first line of every file (https://age-encryption.org/v1, "File structure"). */
export const AGE_LINE = 'age-encryption.org/v1'

/** One way to the key of a file: how it is wrapped, for whom, and the wrapped key. */
export interface Stanza {
  readonly type: string
  readonly args: readonly string[]
  readonly body: Buffer
}

const LINE_BYTES = 48
const MAC_BYTES = 32
const STANZAS_MAX = 64

/** The header of a file: all stanzas, and what proves them to who has the key. */
export function formatHeader(stanzas: readonly Stanza[], fileKey: Buffer): Buffer {
  const lines = [AGE_LINE, ...stanzas.flatMap(stanzaLines), '---']
  const text = lines.join('\n')
  return Buffer.from(`${text} ${base64(macOf(text, fileKey))}\n`)
}

function stanzaLines({ type, args, body }: Stanza): string[] {
  const lines = [`-> ${[type, ...args].join(' ')}`]
  // the last line is shorter than the others: an empty one where it would not be
  for (let from = 0; from <= body.length; from += LINE_BYTES) {
    lines.push(base64(body.subarray(from, from + LINE_BYTES)))
  }
  return lines
}

/** Base64 without padding. */
export function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}

/** The bytes of canonical base64 without padding. @throws BACKUP_DAMAGED */
export function fromBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (base64(bytes) !== text) throw damaged('its header holds no canonical base64')
  return bytes
}

function macOf(text: string, fileKey: Buffer): Buffer {
  const key = Buffer.from(hkdfSync('sha256', fileKey, '', 'header', MAC_BYTES))
  return createHmac('sha256', key).update(text).digest()
}

export interface Header {
  readonly stanzas: readonly Stanza[]
  /** Whether the header is what the one wrote who knew the key. */
  isProved(fileKey: Buffer): boolean
}

/** @param text up to and with the line of `---`, without its line feed @throws BACKUP_DAMAGED */
export function parseHeader(text: string): Header {
  const lines = text.split('\n')
  const last = lines.at(-1) ?? ''
  if (lines[0] !== AGE_LINE || !/^--- \S+$/.test(last)) throw damaged('its header is malformed')
  const mac = fromBase64(last.slice(4))
  const proved = text.slice(0, text.length - last.length + 3)
  return {
    stanzas: parseStanzas(lines.slice(1, -1)),
    isProved: fileKey => {
      const wanted = macOf(proved, fileKey)
      return mac.length === wanted.length && timingSafeEqual(mac, wanted)
    },
  }
}

function parseStanzas(lines: readonly string[]): Stanza[] {
  const stanzas: Stanza[] = []
  for (let at = 0; at < lines.length; ) {
    const [arrow, type, ...args] = (lines[at++] as string).split(' ')
    if (arrow !== '->' || !type || args.includes('')) throw damaged('its header is malformed')
    const parts: Buffer[] = []
    do {
      const line = lines[at++]
      if (line === undefined) throw damaged('its header is malformed')
      parts.push(fromBase64(line))
    } while (parts.at(-1)?.length === LINE_BYTES)
    stanzas.push({ type, args, body: Buffer.concat(parts) })
  }
  if (stanzas.length === 0 || stanzas.length > STANZAS_MAX) throw damaged('its header is malformed')
  return stanzas
}
