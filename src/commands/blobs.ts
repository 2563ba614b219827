import { demand } from '../access/viewer.ts'
import { type BlobStores, putBlob, type StoredBlob } from '../blobs/store.ts'
import * as decide from '../content/decide-blob.ts'
import { BLOB_MAX_BYTES } from '../content/limits.ts'
import { type Blob, type Entity, own } from '../content/state.ts'
import { type Author, type Change, change, type Site, type Written } from './change.ts'
import { pageAt } from './pages.ts'

/**
 * A file becomes one of a page's, in place of the one of that name.
 *
 * @param blob as `putBlob` gave it for bytes that this caller sent: to know a hash must not be enough to get at its bytes
 * @throws PAGE_NOT_FOUND, PAGE_GONE, REQUEST_INVALID for a name that is none, LOGIN_REQUIRED, PERMISSION_DENIED
 */
export async function attachBlob(
  change: Change,
  path: string,
  blob: StoredBlob & { readonly name: string; readonly category: Blob['category'] },
): Promise<Entity> {
  const entity = await pageToEdit(change, path)
  change.record(decide.attachBlob(entity, blob))
  return (await change.entity(entity.id)) ?? entity
}

/** Takes a file from a page; without effect when it has none of that name. @throws as attachBlob */
export async function detachBlob(change: Change, path: string, name: string): Promise<Entity> {
  const entity = await pageToEdit(change, path)
  change.record(decide.detachBlob(entity, name))
  return (await change.entity(entity.id)) ?? entity
}

/** A file that was uploaded. */
export interface UploadedBlob extends Written<Entity> {
  readonly blob: StoredBlob
  /** Whether the page had one of that name before. */
  readonly replaced: boolean
}

/**
 * Takes the bytes of a file and attaches it to a page. Whether the author may is asked before a byte is taken, and again when all are
 * there. Bytes whose attaching fails in the end stay in the store, named by nothing and seen by no one.
 *
 * @throws as attachBlob; BODY_TOO_LARGE past `BLOB_MAX_BYTES`, DISK_FULL, what reading `bytes` throws
 */
export async function uploadBlob(
  site: Site,
  author: Author,
  stores: BlobStores,
  file: {
    readonly path: string
    readonly name: string
    readonly category: Blob['category']
    readonly bytes: AsyncIterable<Uint8Array>
  },
): Promise<UploadedBlob> {
  const { path, name, category, bytes } = file
  decide.checkBlobName(name)
  const { result: page } = await change(site, author, it => pageToEdit(it, path))
  const blob = await putBlob(stores[category], bytes, BLOB_MAX_BYTES)
  const written = await change(site, author, it =>
    attachBlob(it, path, { ...blob, name, category }),
  )
  return { ...written, blob, replaced: own(page.blobs, name) !== undefined }
}

async function pageToEdit(change: Change, path: string): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.edit', entity.path)
  return entity
}
