import { Rm3Error } from '../errors.ts'
import type { BlobAttached, NewEvent } from './events.ts'
import { BLOB_NAME_MAX } from './limits.ts'
import { type Entity, own } from './state.ts'

/** What a name must not have: what separates folders, ends lines or cannot be seen. */
const UNFIT = /[/\\\p{Cc}\p{Cs}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u
const TAKEN_NAMES: ReadonlySet<string> = new Set(['.', '..', '__proto__'])
const SHA256 = /^[0-9a-f]{64}$/

/**
 * A file becomes one of a page's, in place of the one of that name if there is one; [] when it is there already.
 *
 * @throws PAGE_GONE, REQUEST_INVALID for a name that is none
 */
export function attachBlob(entity: Entity, blob: BlobAttached): NewEvent[] {
  demandExists(entity)
  checkBlobName(blob.name)
  if (!SHA256.test(blob.sha256)) throw new Error(`${blob.sha256} is not a SHA-256 in hexadecimal`)
  const { name, sha256, sizeBytes, mediaType, category } = blob
  const known = own(entity.blobs, name)
  if (known?.sha256 === sha256 && known.mediaType === mediaType && known.category === category) {
    return []
  }
  const data = { name, sha256, sizeBytes, mediaType, category }
  return [{ type: 'BlobAttached', stream: entity.id, data }]
}

/** Takes a file from a page; [] when it has none of that name. @throws PAGE_GONE */
export function detachBlob(entity: Entity, name: string): NewEvent[] {
  demandExists(entity)
  if (own(entity.blobs, name) === undefined) return []
  return [{ type: 'BlobDetached', stream: entity.id, data: { name } }]
}

/**
 * @throws REQUEST_INVALID unless it is 1 to 255 characters in Unicode's composed form, without slashes, control characters and
 *   marks that cannot be seen
 */
export function checkBlobName(name: string): void {
  const fits = name.length > 0 && name.length <= BLOB_NAME_MAX && name.trim() === name
  if (fits && !UNFIT.test(name) && !TAKEN_NAMES.has(name) && name === name.normalize('NFC')) return
  throw new Rm3Error(
    'REQUEST_INVALID',
    `the name of a file has 1 to ${BLOB_NAME_MAX} characters, without slashes and what cannot be seen`,
    { name: name.slice(0, 80) },
  )
}

function demandExists({ state, path }: Entity): void {
  if (state === 'deleted') throw new Rm3Error('PAGE_GONE', `${path} was deleted`, { path })
}
