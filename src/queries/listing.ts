import { depthOf } from '../content/path.ts'
import type { PageRecord } from './record.ts'

/** What is listed and in which order. */
export interface Listing {
  /** Pages below it; null: of the whole site. */
  readonly parent: string | null
  /** Levels below `parent`; 1: its children. */
  readonly depth: number
  readonly proto: string | null
  /** Only pages that are not of that proto. */
  readonly exceptProto?: string
  /** Only pages at these paths. */
  readonly paths?: readonly string[]
  /** Live pages with that tag: its object and its predicate, those of them that are given. */
  readonly tag: TagFilter | null
  readonly sort: Sort
  readonly descending: boolean
  /** With hidden pages, where the viewer may edit them. */
  readonly hidden: boolean
}

/** One of the two at least is not null. */
export interface TagFilter {
  readonly predicate: string | null
  readonly object: string | null
}

export const SORTS = ['path', 'title', 'created', 'modified'] as const
export type Sort = (typeof SORTS)[number]

/** Children by path: what is listed when nothing is said. */
export const CHILDREN: Listing = {
  parent: null,
  depth: 1,
  proto: null,
  tag: null,
  sort: 'path',
  descending: false,
  hidden: false,
}

/** Levels that are all of them: no path has as many. */
export const DEPTH_ALL = 32

/** What a listing is filtered by. */
export interface ListFilter {
  readonly where: string[]
  readonly values: unknown[]
}

/** A record with what it was sorted by. */
export type Sorted = PageRecord & { readonly sortKey: string }

const KEYS: Record<Sort, { sql: string; type: string }> = {
  path: { sql: 'p.path', type: 'text' },
  title: { sql: 'p.title', type: 'text' },
  created: { sql: 'p.created', type: 'timestamptz' },
  modified: { sql: 'p.modified', type: 'timestamptz' },
}

/** Which pages are listed by place and proto, on a table with `path`, `parent` and `proto`. */
export function filterOf(listing: Listing, table: string): ListFilter {
  const where: string[] = []
  const values: unknown[] = []
  const add = (value: unknown) => `$${values.push(value)}`
  const { parent, depth, proto, exceptProto, paths } = listing
  // one of the two: with both the planner takes the children for a handful, and sorts all of thousands
  if (parent !== null && depth === 1) where.push(`${table}.parent = ${add(parent)}::text`)
  else if (parent !== null) {
    const top = add(parent)
    where.push(`${table}.path > ${top}::text || '.' and ${table}.path < ${top}::text || '/'`)
  }
  if ((parent === null || depth > 1) && depth < DEPTH_ALL) {
    const labels = add(depth + (parent === null ? 0 : depthOf(parent)))
    where.push(`length(${table}.path) - length(replace(${table}.path, '.', '')) < ${labels}::int`)
  }
  if (proto !== null) where.push(`${table}.proto = ${add(proto)}::text`)
  if (exceptProto !== undefined) where.push(`${table}.proto <> ${add(exceptProto)}::text`)
  if (paths !== undefined) where.push(`${table}.path = any(${add(paths)}::text[])`)
  return { where, values }
}

/** That a page has a tag at a position. */
export function tagged(
  tag: TagFilter,
  add: (value: unknown) => string,
  table: string,
  position: string,
): string {
  const where: string[] = []
  if (tag.object !== null) where.push(`t.object = ${add(tag.object)}::text`)
  if (tag.predicate !== null) where.push(`t.predicate = ${add(tag.predicate)}::text`)
  return `exists (select from tags t where t.entity_id = ${table}.entity_id and ${where.join(' and ')}
    and t.from_position <= ${position}::bigint and t.until_position > ${position}::bigint)`
}

/**
 * The order of a listing; where it goes on behind `keys` is added to `where`.
 *
 * @param sql the column with what is sorted by, where it is not one of `p`
 */
export function orderOf(
  { sort, descending }: Listing,
  keys: readonly (string | number)[] | null,
  add: (value: unknown) => string,
  where: string[],
  sql: string = KEYS[sort].sql,
): { key: string; by: string } {
  const { type } = KEYS[sort]
  const way = descending ? 'desc' : 'asc'
  if (keys !== null) {
    const [key, path] = keys.map(add)
    where.push(`(${sql}, p.path) ${descending ? '<' : '>'} (${key}::${type}, ${path}::text)`)
  }
  const by = sort === 'path' ? `p.path ${way}` : `${sql} ${way}, p.path ${way}`
  return { key: sql, by }
}
