import { close, defineProjection, FOREVER, put, type RowChange, tagOf } from 'rm3'

/** What pages are and were tagged with. */
export default defineProjection({
  name: 'tags',
  version: 1,
  tables: ['tags'],
  sql: `
    create table tags (
      entity_id      uuid   not null,
      predicate      text   not null,
      object         text   not null,
      object_class   text   not null,
      since          int    not null,
      from_position  bigint not null,
      until_position bigint not null,
      primary key (entity_id, predicate, object, object_class, since)
    );
    create index tags_object on tags (object, predicate, until_position);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity' || after.since !== after.revision) return []
    const was = before?.kind === 'entity' ? before.tags : {}
    const gone = Object.entries(was).filter(([key, since]) => after.tags[key] !== since)
    const come = Object.entries(after.tags).filter(([key, since]) => was[key] !== since)
    return [
      ...gone.map(([key, since]) => close('tags', keyOf(after.id, key, since), event.position)),
      ...come.map(
        ([key, since]): RowChange =>
          put('tags', {
            ...keyOf(after.id, key, since),
            from_position: event.position,
            until_position: FOREVER,
          }),
      ),
    ]
  },
})

function keyOf(entityId: string, key: string, since: number) {
  const { predicate, object, objectClass } = tagOf(key)
  return { entity_id: entityId, predicate, object, object_class: objectClass, since }
}
