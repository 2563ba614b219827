import type { SiteEvent } from '../content/events.ts'
import type { State } from '../content/state.ts'

/** A column's value as JSON says it; bytes as `\x…` in hexadecimal. */
export type Column = null | boolean | number | string | object

export type Row = Readonly<Record<string, Column>>

/**
 * `put`: a row appears or changes, all columns given. `close`: what the row says holds no longer; given are the key's columns and
 * `until_position`, which alone changes. `drop`: the row goes, the key's columns given.
 */
export interface RowChange {
  readonly op: 'put' | 'close' | 'drop'
  readonly table: string
  readonly row: Row
}

/** What one event does: the state of its stream before and after it. */
export interface Step {
  readonly before: State | null
  readonly event: SiteEvent
  readonly after: State
}

/**
 * A read model, one per file in `projections/`.
 *
 * `step` is pure and sees one stream at a time; every row it makes belongs to that stream (its key holds the stream's id, or
 * something only that stream has). The same function serves the append, a rebuild and a check.
 *
 * While an append is being prepared the event's `position` is negative: the n-th event of the append has `-n`. Columns of type
 * bigint called `position` or `…_position` may hold it and get the real one when the row is written; nothing else may.
 */
export interface Projection {
  /** The file's name without its suffix. */
  readonly name: string
  /** Raise it when `tables` or `step` changes; the projection is then built anew. */
  readonly version: number
  /** Names of its tables, in the order in which `sql` makes them. */
  readonly tables: readonly string[]
  /** SQL that makes the tables, each with a primary key, and their indexes. */
  readonly sql: string
  /** Whether its rows decide who may do what. */
  readonly rights?: boolean
  readonly step: (step: Step) => RowChange[]
}

/** Says that an object is a projection; the default export of a file in `projections/`. */
export function defineProjection(projection: Projection): Projection {
  return projection
}

/** The position that stands for "until now": greater than any in the log, and a safe integer. */
export const FOREVER = Number.MAX_SAFE_INTEGER

/** A `put` of a row into a table. */
export function put(table: string, row: Row): RowChange {
  return { op: 'put', table, row }
}

/** A `close` of the row with this key at a position. */
export function close(table: string, key: Row, position: number): RowChange {
  return { op: 'close', table, row: { ...key, until_position: position } }
}

/** A `drop` of the row with this key. */
export function drop(table: string, key: Row): RowChange {
  return { op: 'drop', table, row: key }
}
