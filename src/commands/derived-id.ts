import { createHash } from 'node:crypto'

/** A UUID of version 8 (RFC 9562) that follows from its parts, so that whoever does the same thing again gives it the same id. */
export function derivedId(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    hash.update(part)
    if (typeof part === 'string') hash.update('\n')
  }
  const id = hash.digest()
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x80
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80
  return id.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
