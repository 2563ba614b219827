import { demand } from '../access/viewer.ts'
import type { StoredBlob } from '../blobs/store.ts'
import * as decide from '../content/decide-blob.ts'
import type { Blob, Entity } from '../content/state.ts'
import type { Change } from './change.ts'
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

async function pageToEdit(change: Change, path: string): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.edit', entity.path)
  return entity
}
