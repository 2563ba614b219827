import { close, type Db, defineProjection, FOREVER, find, own, put, type RowChange } from 'rm3'

/** Which files belong and belonged to which page; the bytes are in the blob store under their SHA-256. */
export default defineProjection({
  name: 'blobs',
  version: 1,
  mode: 'inline',
  tables: { blobs: { column: 'entity_id' } },
  sql: `
    create table {blobs} (
      entity_id      uuid   not null,
      name           text   not null,
      since          int    not null,
      sha256         text   not null,
      size_bytes     bigint not null,
      media_type     text   not null,
      category       text   not null,
      from_position  bigint not null,
      until_position bigint not null,
      primary key (entity_id, name, since)
    );
    create index {blobs}_sha256 on {blobs} (sha256);
  `,
  step: ({ before, event, after }) => {
    if (event.type !== 'BlobAttached' && event.type !== 'BlobDetached') return []
    if (after.kind !== 'entity') return []
    const { name } = event.data
    const rows: RowChange[] = []
    const since = before?.kind === 'entity' ? own(before.blobs, name)?.since : undefined
    if (since !== undefined) {
      rows.push(close('blobs', { entity_id: after.id, name, since }, event.position))
    }
    const now = own(after.blobs, name)
    if (now !== undefined) {
      const { sha256, sizeBytes, mediaType, category } = now
      rows.push(
        put('blobs', {
          entity_id: after.id,
          name,
          since: now.since,
          sha256,
          size_bytes: sizeBytes,
          media_type: mediaType,
          category,
          from_position: event.position,
          until_position: FOREVER,
        }),
      )
    }
    return rows
  },
})

export interface BlobRow {
  readonly name: string
  readonly sha256: string
  readonly sizeBytes: number
  readonly mediaType: string
  readonly category: 'public' | 'private'
}

const OF_ENTITY = `select name, sha256, size_bytes as "sizeBytes", media_type as "mediaType", category from blobs
  where entity_id = $1::uuid and from_position <= $2::bigint and until_position > $2::bigint order by name`

/** The files of a page at a position (`FOREVER - 1` is now), by name. */
export async function listBlobs(
  db: Db,
  entityId: string,
  position = FOREVER - 1,
): Promise<BlobRow[]> {
  return db.rows<BlobRow>(OF_ENTITY, [entityId, position])
}

const OF_PAGES = `select b.name, b.sha256, b.size_bytes as "sizeBytes", b.media_type as "mediaType", b.category
  from blobs b
  left join pages p on p.entity_id = b.entity_id
  left join unpublished u on u.entity_id = b.entity_id and not u.deleted and ($4::text is null or u.path ~ $4::text)
  where b.sha256 = $1::text and b.until_position = ${FOREVER} and coalesce(p.path, u.path) is not null
    and ($2::text is null or coalesce(p.path, u.path) ~ $2::text)
    and (b.category = 'public' or $3::text is null or coalesce(p.path, u.path) ~ $3::text)
  order by coalesce(p.path, u.path), b.name limit 1`

/**
 * A file as one of the pages has it now; null when none that counts has it.
 *
 * @param where as regular expressions (null: everywhere) where pages count, where those with a private file do, and where those count
 *   that were never live
 */
export async function findBlobOfPages(
  db: Db,
  sha256: string,
  where: { viewed: string | null; edited: string | null; drafts: string | null },
): Promise<BlobRow | null> {
  const { viewed, edited, drafts } = where
  return find<BlobRow>(db, OF_PAGES, [sha256, viewed, edited, drafts])
}

const KNOWN = `select distinct sha256 from blobs where sha256 = any($1::text[])`

/** Those of some hashes that any page has or ever had. */
export async function listKnownBlobs(db: Db, hashes: readonly string[]): Promise<string[]> {
  const rows = await db.rows<{ sha256: string }>(KNOWN, [hashes])
  return rows.map(({ sha256 }) => sha256)
}

const ELSEWHERE = `select distinct sha256 from blobs
  where sha256 = any($1::text[]) and not (entity_id = $2::uuid and since = any($3::int[])) order by sha256`

/** Those of some hashes that are named by other events than some of an entity. */
export async function listBlobsElsewhere(
  db: Db,
  hashes: readonly string[],
  but: { entityId: string; revisions: readonly number[] },
): Promise<string[]> {
  const rows = await db.rows<{ sha256: string }>(ELSEWHERE, [hashes, but.entityId, but.revisions])
  return rows.map(({ sha256 }) => sha256)
}

const FIRST_FROM = `select min(greatest(h.from_position, b.from_position, $3::bigint)) as position
  from page_history h join blobs b on b.entity_id = h.entity_id and b.name = $2::text and b.category = 'public'
    and b.from_position < h.until_position and b.until_position > greatest(h.from_position, $3::bigint)
  where h.path = $1::text and h.from_position > 0 and h.until_position > $3::bigint and h.state = 'live'`

/** The first position from one on at which a public file was at the page of a path; null when there is none. */
export async function findFirstWithFile(
  db: Db,
  { path, name, from }: { path: string; name: string; from: number },
): Promise<number | null> {
  const row = await find<{ position: number | null }>(db, FIRST_FROM, [path, name, from])
  return row?.position ?? null
}
