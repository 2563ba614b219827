import {
  close,
  defineProjection,
  FOREVER,
  hashDocument,
  type Json,
  put,
  type RowChange,
  tagOf,
} from 'rm3'

/** What pages are and were tagged with. */
export default defineProjection({
  name: 'tags',
  version: 2,
  mode: 'inline',
  tables: { tags: { column: 'entity_id' } },
  sql: `
    create table {tags} (
      entity_id      uuid   not null,
      tag            text   not null, -- hash of predicate, object and class, which may be too long for an index
      predicate      text   not null,
      object         text   not null,
      object_class   text   not null,
      since          int    not null,
      from_position  bigint not null,
      until_position bigint not null,
      primary key (entity_id, tag, since)
    );
    create index {tags}_object on {tags} using hash (object);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity' || after.since !== after.revision) return []
    const was = before?.kind === 'entity' ? before.tags : {}
    if (after.tags === was) return []
    const gone = Object.entries(was).filter(([key, since]) => after.tags[key] !== since)
    const come = Object.entries(after.tags).filter(([key, since]) => was[key] !== since)
    return [
      ...gone.map(([key, since]) =>
        close('tags', { entity_id: after.id, tag: idOf(key), since }, event.position),
      ),
      ...come.map(
        ([key, since]): RowChange =>
          put('tags', {
            ...rowOf(after.id, key, since),
            from_position: event.position,
            until_position: FOREVER,
          }),
      ),
    ]
  },
})

const IDS_MAX = 10_000
const ids = new Map<string, string>()

/** Many pages have the same tags. */
function idOf(key: string): string {
  let id = ids.get(key)
  if (id === undefined) {
    id = hashDocument(JSON.parse(key) as Json)
    if (ids.size >= IDS_MAX) ids.clear()
    ids.set(key, id)
  }
  return id
}

function rowOf(entityId: string, key: string, since: number) {
  const { predicate, object, objectClass } = tagOf(key)
  return {
    entity_id: entityId,
    tag: idOf(key),
    predicate,
    object,
    object_class: objectClass,
    since,
  }
}
