import { type BlobRow, findBlobOfPages, listBlobs } from '../../projections/blobs.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { Rm3Error } from '../errors.ts'
import { FOREVER } from '../projector/define.ts'
import type { At } from './at.ts'
import type { PageAnswer } from './page-answer.ts'
import { readPage } from './read-page.ts'
import { lastPaths } from './read-past.ts'
import { type Reader, viewerOf } from './reader.ts'

/** The files of a page, or what became of the page. */
export type BlobsAnswer =
  | Exclude<PageAnswer, { type: 'page' }>
  | {
      readonly type: 'blobs'
      readonly blobs: readonly BlobRow[]
      readonly position: number
      /** As of when it was asked for; null: now. */
      readonly recordedAt: string | null
    }

/**
 * The files of a page that a reader may have, by name: those of a page that may be viewed, now or as of `at` (see `readPage`), and the
 * private ones with `post.edit` on each of its paths that count.
 *
 * @param path as `parsePath` returns it
 * @throws as `readPage`
 */
export async function readBlobs(
  site: Site,
  reader: Reader,
  path: string,
  at: At | null,
): Promise<BlobsAnswer> {
  const answer = await readPage(site, reader, path, at)
  if (answer.type !== 'page') return answer
  const { viewer, page, position, recordedAt } = answer
  const blobs = await listBlobs(site.db, page.entityId, at === null ? FOREVER - 1 : position)
  const isPrivate = blobs.some(({ category }) => category === 'private')
  const mayAll = isPrivate && (await mayEdit(site, viewer, page.entityId, [path, page.path]))
  const shown = mayAll ? blobs : blobs.filter(({ category }) => category === 'public')
  return { type: 'blobs', blobs: shown, position, recordedAt }
}

async function mayEdit(
  site: Site,
  viewer: Viewer,
  entityId: string,
  paths: readonly string[],
): Promise<boolean> {
  const last = await lastPaths(site.db, [entityId])
  return [...paths, ...last.values()].every(path => viewer.may('post.edit', path))
}

/** One of the files of an answer. @throws BLOB_NOT_FOUND */
export function blobNamed(blobs: readonly BlobRow[], path: string, name: string): BlobRow {
  const blob = blobs.find(blob => blob.name === name)
  if (blob !== undefined) return blob
  throw new Rm3Error('BLOB_NOT_FOUND', `${path} has no file "${name.slice(0, 80)}"`, { path })
}

/**
 * A file by its hash, as one of the pages has it now that the reader may view: to know the hash is not enough.
 *
 * @param sha256 64 hexadecimal digits, in lower case
 * @throws BLOB_NOT_FOUND
 */
export async function getBlobBySha256(
  site: Site,
  reader: Reader,
  sha256: string,
): Promise<BlobRow> {
  const viewer = await viewerOf(site, reader)
  const blob = await findBlobOfPages(site.db, sha256, {
    viewed: viewer.pathsWith('view'),
    edited: viewer.pathsWith('post.edit'),
    drafts: viewer.pathsWith('viewdraft'),
  })
  if (blob !== null) return blob
  throw new Rm3Error('BLOB_NOT_FOUND', 'there is no such file, or it may not be seen')
}
