import type { Viewer } from '../access/viewer.ts'

/** Adds a value to a statement's. @returns its place: `$1` */
export type Add = (value: unknown) => string

/**
 * What leaves out of a statement the pages whose past a viewer may not read: `view` and `history` on the path that a row says it had, and
 * on the one that the entity has now, or had last.
 *
 * @param table a table with `entity_id` and `path`
 * @returns conditions that must all hold; [] when the viewer may everywhere
 */
export function pastOf(viewer: Viewer, table: string, add: Add): string[] {
  return onBothPaths(viewer, ['view', 'history'], table, add)
}

/** As `pastOf`, of any permissions. */
export function onBothPaths(
  viewer: Viewer,
  permissions: readonly string[],
  table: string,
  add: Add,
): string[] {
  const regexes = permissions.flatMap(permission => viewer.pathsWith(permission) ?? [])
  if (regexes.length === 0) return []
  const places = regexes.map(add)
  const now = `(select h.path from page_history h where h.entity_id = ${table}.entity_id and h.from_position > 0
    order by h.from_position desc limit 1)`
  return [fits(`${table}.path`, places), `(select ${fits('now.path', places)} from ${now} now)`]
}

/**
 * That a path fits regular expressions. The planner takes one for something that one row in two hundred fits, and so finds and sorts all of
 * a listing where it could walk an index until a part of it is full; of what stands in `case` it assumes nothing.
 *
 * @param places of the expressions among the statement's values
 */
export function fits(path: string, places: readonly string[]): string {
  const all = places.map(place => `${path} ~ ${place}::text`).join(' and ')
  return `(case when ${all} then true else false end)`
}
