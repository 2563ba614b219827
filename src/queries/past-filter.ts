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
  const places = regexes.map(regex => `${add(regex)}::text`)
  const fits = (path: string) => places.map(place => `${path} ~ ${place}`).join(' and ')
  const now = `(select h.path from page_history h where h.entity_id = ${table}.entity_id and h.from_position > 0
    order by h.from_position desc limit 1)`
  return [fits(`${table}.path`), `(select ${fits('now.path')} from ${now} now)`]
}
