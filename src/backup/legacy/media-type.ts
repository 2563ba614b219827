const BY_EXTENSION = new Map([
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['png', 'image/png'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['svg', 'image/svg+xml'],
  ['mp3', 'audio/mpeg'],
  ['ogg', 'audio/ogg'],
  ['wav', 'audio/wav'],
  ['mp4', 'video/mp4'],
  ['pdf', 'application/pdf'],
  ['txt', 'text/plain'],
])
const SIGNATURES: readonly (readonly [string, RegExp])[] = [
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/png', /^\x89PNG\r\n/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[\s\S]{4}WEBP/],
  ['audio/wav', /^RIFF[\s\S]{4}WAVE/],
  ['audio/mpeg', /^(?:ID3|\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff])/],
  ['audio/ogg', /^OggS/],
  ['video/mp4', /^[\s\S]{4}ftyp/],
  ['application/pdf', /^%PDF-/],
]
// each part can match in one way only, so that no text makes it slow
const SVG =
  /^\s*(?:<\?xml[^>]*\?>\s*|<!--(?:(?!-->)[\s\S])*-->\s*|<!DOCTYPE[^>[]*(?:\[[^\]]*\]\s*)?>\s*)*<(?:\w+:)?svg[\s>]/

/**
 * The media type of a file, by its content where that shows, else by its name; 'application/octet-stream' when
 * neither tells. Content that could run as a page (HTML) is never called so.
 *
 * @param head the first bytes, some thousands of them
 */
export function mediaTypeOf(head: Buffer, name: string): string {
  const bytes = head.toString('latin1')
  const known = SIGNATURES.find(([, signature]) => signature.test(bytes))
  if (known !== undefined) return known[0]
  if (SVG.test(head.toString('utf8').replace(/^\ufeff/, ''))) return 'image/svg+xml'
  const byName = BY_EXTENSION.get(name.split('.').at(-1)?.toLowerCase() ?? '')
  return byName ?? 'application/octet-stream'
}
