import { type BlobRow, findBlobOfPages, listBlobs } from '../../projections/blobs.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { Rm3Error } from '../errors.ts'
import { find } from '../pg/db.ts'
import { FOREVER } from '../projector/define.ts'
import type { At } from './at.ts'
import type { PageAnswer } from './page-answer.ts'
import { type Add, onBothPaths, pastOf } from './past-filter.ts'
import { readPage } from './read-page.ts'
import { lastPaths } from './read-past.ts'
import { type Reader, viewerOf } from './reader.ts'

/** The files of a page, or what became of the page. */
export type BlobsAnswer =
  | Exclude<PageAnswer, { type: 'page' }>
  | {
      readonly type: 'blobs'
      readonly blobs: readonly BlobRow[]
      readonly viewer: Viewer
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
  return { type: 'blobs', blobs: shown, viewer, position, recordedAt }
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
 * A file by its hash, as one of the pages has it now that the reader may view: to know the hash is not enough. As of a position: as one
 * of the pages had it then whose past the reader may read.
 *
 * @param sha256 64 hexadecimal digits, in lower case
 * @param position null: now
 * @throws BLOB_NOT_FOUND
 */
export async function getBlobBySha256(
  site: Site,
  reader: Reader,
  sha256: string,
  position: number | null,
): Promise<BlobRow> {
  const viewer = await viewerOf(site, reader)
  const blob =
    position === null
      ? await findBlobOfPages(site.db, sha256, {
          viewed: viewer.pathsWith('view'),
          edited: viewer.pathsWith('post.edit'),
          drafts: viewer.pathsWith('viewdraft'),
        })
      : await findBlobPast(site, viewer, sha256, position)
  if (blob !== null) return blob
  throw new Rm3Error('BLOB_NOT_FOUND', 'there is no such file, or it may not be seen')
}

const THEN = `select b.name, b.sha256, b.size_bytes as "sizeBytes", b.media_type as "mediaType", b.category
  from blobs b join headings p on p.entity_id = b.entity_id
  where b.sha256 = $1::text and b.from_position <= $2::bigint and b.until_position > $2::bigint
    and p.from_position <= $2::bigint and p.until_position > $2::bigint`

async function findBlobPast(
  { db }: Site,
  viewer: Viewer,
  sha256: string,
  position: number,
): Promise<BlobRow | null> {
  const values: unknown[] = [sha256, position]
  const add: Add = value => `$${values.push(value)}`
  const edit = onBothPaths(viewer, ['post.edit'], 'p', add)
  const open = edit.length === 0 ? [] : [`(b.category = 'public' or ${edit.join(' and ')})`]
  const where = [THEN, ...pastOf(viewer, 'p', add), ...open].join(' and ')
  return find<BlobRow>(db, `${where} order by p.path, b.name limit 1`, values)
}
