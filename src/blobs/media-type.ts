/** As many of a file's first bytes as `sniffMediaType` looks at. */
export const SNIFF_BYTES = 4096

/** What is known of no other type: shown by nobody, only downloaded. */
export const UNKNOWN_MEDIA_TYPE = 'application/octet-stream'

/** By the bytes a file begins with; `at` where not at its start. */
const SIGNATURES: readonly { type: string; bytes: string; at?: number; also?: string }[] = [
  { type: 'image/jpeg', bytes: '\xff\xd8\xff' },
  { type: 'image/png', bytes: '\x89PNG\r\n\x1a\n' },
  { type: 'image/gif', bytes: 'GIF87a' },
  { type: 'image/gif', bytes: 'GIF89a' },
  { type: 'image/webp', bytes: 'WEBP', at: 8, also: 'RIFF' },
  { type: 'audio/wav', bytes: 'WAVE', at: 8, also: 'RIFF' },
  { type: 'application/pdf', bytes: '%PDF-' },
  { type: 'audio/mpeg', bytes: 'ID3' },
]

/**
 * The media type of a file by what is in it, never by its name or by what a client says: image/jpeg, png, gif, webp, avif and
 * svg+xml, audio/mpeg, ogg, wav and mp4, video/mp4, ogg and webm, application/pdf, else application/octet-stream.
 *
 * @param head its first `SNIFF_BYTES` bytes, or all of a smaller file
 */
export function sniffMediaType(head: Uint8Array): string {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SNIFF_BYTES))
  const bytes = text.toString('latin1')
  const known = SIGNATURES.find(
    ({ bytes: sign, at = 0, also = '' }) => bytes.startsWith(sign, at) && bytes.startsWith(also),
  )
  return (
    known?.type ??
    isoMediaType(bytes) ??
    oggMediaType(bytes) ??
    webmMediaType(bytes) ??
    mp3MediaType(head) ??
    (isSvg(text.toString('utf8')) ? 'image/svg+xml' : UNKNOWN_MEDIA_TYPE)
  )
}

/** ISO/IEC 14496-12: a first box `ftyp` with a major brand, a version and compatible brands, four characters each. */
function isoMediaType(bytes: string): string | null {
  if (!bytes.startsWith('ftyp', 4)) return null
  const size = Buffer.from(bytes.slice(0, 4), 'latin1').readUInt32BE()
  const brands = bytes.slice(8, Math.min(size, 256)).match(/.{4}/gs) ?? []
  const [major = ''] = brands
  if (brands.some(brand => brand === 'avif' || brand === 'avis')) return 'image/avif'
  if (/^(M4A |M4B )$/.test(major)) return 'audio/mp4'
  return /^(isom|iso[2-9]|mp4[12]|avc1|M4V |dash|MSNV)$/.test(major) ? 'video/mp4' : null
}

function oggMediaType(bytes: string): string | null {
  if (!bytes.startsWith('OggS')) return null
  return bytes.slice(0, 512).includes('theora') ? 'video/ogg' : 'audio/ogg'
}

/** EBML whose document type is webm; Matroska has the same beginning. */
function webmMediaType(bytes: string): string | null {
  const isWebm =
    bytes.startsWith('\x1a\x45\xdf\xa3') && /\x42\x82.{1,8}webm/s.test(bytes.slice(0, 128))
  return isWebm ? 'video/webm' : null
}

/** A frame of MPEG layer III: eleven bits of sync, then no field with a reserved value. */
function mp3MediaType([first = 0, second = 0, third = 0]: Uint8Array): string | null {
  const isSync = first === 0xff && (second & 0xe6) === 0xe2 && (second & 0x18) !== 0x08
  const isFrame = isSync && third >> 4 !== 15 && third >> 4 !== 0 && (third & 0x0c) !== 0x0c
  return isFrame ? 'audio/mpeg' : null
}

/** What may stand before the root element of an XML document, with what ends it. */
const BEFORE_ROOT = [
  ['<?', '?>'],
  ['<!--', '-->'],
  ['<!DOCTYPE', '>'],
] as const

/** Whether the root element of a document is `svg`. */
function isSvg(text: string): boolean {
  let rest = text.replace(/^\ufeff/, '').trimStart()
  for (;;) {
    const prolog = BEFORE_ROOT.find(([begin]) => rest.startsWith(begin))
    if (prolog === undefined) return /^<svg[\s/>]/.test(rest)
    const end = rest.indexOf(prolog[1])
    if (end < 0) return false
    rest = rest.slice(end + prolog[1].length).trimStart()
  }
}
