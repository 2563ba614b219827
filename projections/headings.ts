import {
  close,
  defineProjection,
  type Entity,
  FOREVER,
  headingOf,
  parentPath,
  partOf,
  put,
  type RowChange,
} from 'rm3'

/**
 * What listings, menus and breadcrumbs show of every page, now and before: where it was and all of its document but `data`, with the
 * positions between which that was so. Most saves change none of it, and then there is no row. What each revision changes
 * is in `page_history`.
 */
export default defineProjection({
  name: 'headings',
  version: 1,
  mode: 'inline',
  tables: { headings: { column: 'entity_id' } },
  sql: `
    create table {headings} (
      entity_id      uuid        not null,
      since          int         not null,
      from_position  bigint      not null,
      until_position bigint      not null,
      path           text        not null collate "C",
      parent         text        collate "C",
      proto          text        not null,
      hidden         boolean     not null,
      title          text        not null,
      created        timestamptz not null,
      summary        json        not null,
      tags           json        not null,
      primary key (entity_id, since)
    ) with (fillfactor = 90); -- until_position is in no index, so that closing a row need not touch them
    create index {headings}_path on {headings} (path, from_position);
    create index {headings}_parent on {headings} (parent, path, from_position);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity') return []
    const was = before?.kind === 'entity' ? before.listed : 0
    if (was === after.listed) return []
    return [
      ...(was === 0 ? [] : [closed(after.id, was, event.position)]),
      ...(after.listed === 0 ? [] : [heading(after, event.position)]),
    ]
  },
})

function closed(id: string, since: number, position: number): RowChange {
  return close('headings', { entity_id: id, since }, position)
}

function heading({ id, listed, path, live, tip, created }: Entity, position: number): RowChange {
  const document = live?.document ?? tip
  const { proto, hidden, title } = headingOf(document)
  return put('headings', {
    entity_id: id,
    since: listed,
    from_position: position,
    until_position: FOREVER,
    path,
    parent: parentPath(path),
    proto,
    hidden,
    title,
    created,
    summary: partOf(document, 'summary'),
    tags: partOf(document, 'tags'),
  })
}
