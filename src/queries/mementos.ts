import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { FOREVER } from '../projector/define.ts'
import { type Add, pastOf } from './past-filter.ts'

/** A change of what readers saw at a path. */
export interface Memento {
  readonly position: number
  /** When the log took it. */
  readonly recordedAt: string
}

/** Where else a path showed another page or another state of it; null where there is none that may be read. */
export interface Mementos {
  readonly first: Memento | null
  readonly previous: Memento | null
  readonly next: Memento | null
  readonly last: Memento | null
}

export const MEMENTOS_MAX = 1_000
export const MEMENTOS_DEFAULT = 100

const ALL = `select p.from_position as position, l.recorded_at as "recordedAt"
  from page_history p join log l on l.position = p.from_position
  where p.path = $1::text and p.state = 'live'`

/** Mementos of a path after a position, oldest first, as far as a viewer may read its past. */
export async function listMementos(
  site: Site,
  viewer: Viewer,
  path: string,
  { after, limit }: { after: number; limit: number },
): Promise<Memento[]> {
  return list(site, viewer, path, {
    where: add => `p.from_position > ${add(after)}::bigint`,
    limit,
  })
}

/** The first memento of a path. */
export async function findFirstMemento(
  site: Site,
  viewer: Viewer,
  path: string,
): Promise<Memento | null> {
  const [first = null] = await listMementos(site, viewer, path, { after: -1, limit: 1 })
  return first
}

/** The last memento of a path before a position. */
export async function findLastMemento(
  site: Site,
  viewer: Viewer,
  path: string,
  before: number,
): Promise<Memento | null> {
  const where = (add: Add) => `p.from_position < ${add(before)}::bigint`
  const [last = null] = await list(site, viewer, path, { where, limit: 1, way: 'desc' })
  return last
}

/** What is around a memento of a path: the one at a position began with the change at `since`. */
export async function findMementos(
  site: Site,
  viewer: Viewer,
  path: string,
  { position, since }: { position: number; since: number },
): Promise<Mementos> {
  const [first, previous, [next = null], last] = await Promise.all([
    findFirstMemento(site, viewer, path),
    findLastMemento(site, viewer, path, since),
    listMementos(site, viewer, path, { after: position, limit: 1 }),
    findLastMemento(site, viewer, path, Number.MAX_SAFE_INTEGER),
  ])
  return { first, previous, next, last }
}

/** What `nearColumns` finds: each with its entity. */
export interface NearRow {
  readonly first: Near | null
  readonly previous: Near | null
  readonly next: Near | null
  readonly last: Near | null
}
type Near = readonly [position: number, recordedAt: string, entityId: string]

/**
 * SQL of the columns of `NearRow`, for statements that look up what is there anyway.
 *
 * @param path SQL for the path
 * @param position SQL for the position
 * @param shown the table with the `Shown` that is there
 */
export function nearColumns(path: string, position: string, shown: string): string {
  const near = (where: string, way: string) =>
    `(select json_build_array(m.from_position, l.recorded_at, m.entity_id) from page_history m join log l on l.position = m.from_position
      where m.path = ${path} and m.state = 'live' and ${where} order by m.from_position ${way} limit 1)`
  // what is shown until today is the last that was
  const isOver = `${shown}."untilPosition" < ${FOREVER}`
  return [
    `${near('true', 'asc')} as first`,
    `${near(`m.from_position < ${shown}."fromPosition"`, 'desc')} as previous`,
    `case when ${isOver} then ${near(`m.from_position > ${position}`, 'asc')} end as next`,
    `case when ${isOver} then ${near('true', 'desc')} else json_build_array(${shown}."fromPosition",
      (select recorded_at from log where position = ${shown}."fromPosition"), ${shown}."entityId") end as last`,
  ].join(',\n    ')
}

/**
 * The mementos of such a row.
 *
 * @param entityId of what is shown
 * @returns null when some are of other entities: then `findMementos` looks which of these the viewer may read
 */
export function mementosIn(
  entityId: string,
  { first, previous, next, last }: NearRow,
): Mementos | null {
  const all = [first, previous, next, last]
  return all.every(near => near === null || near[2] === entityId)
    ? {
        ...{ first: mementoOf(first), previous: mementoOf(previous) },
        ...{ next: mementoOf(next), last: mementoOf(last) },
      }
    : null
}

function mementoOf(near: Near | null): Memento | null {
  return near && { position: near[0], recordedAt: new Date(near[1]).toISOString() }
}

function list(
  { db }: Site,
  viewer: Viewer,
  path: string,
  part: { where: (add: Add) => string; limit: number; way?: 'asc' | 'desc' },
): Promise<Memento[]> {
  const { where, limit, way = 'asc' } = part
  const values: unknown[] = [path]
  const add: Add = value => `$${values.push(value)}`
  const conditions = [ALL, where(add), ...pastOf(viewer, 'p', add)].join(' and ')
  return db.rows<Memento>(
    `${conditions} order by p.from_position ${way} limit ${add(limit)}::int`,
    values,
  )
}
