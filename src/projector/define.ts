import type { SiteEvent } from '../content/events.ts'
import type { State } from '../content/state.ts'
import type { Db } from '../pg/db.ts'

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

/** To which stream the rows of a table belong: the one that a column names, or always the same. */
export type RowOwner = { readonly column: string } | { readonly only: string }

interface ReadModel {
  /** The file's name without its suffix. */
  readonly name: string
  /** Raise it when `tables`, `sql`, `step` or `apply` changes; the projection is then built anew. */
  readonly version: number
  /**
   * SQL that makes the tables, each with a primary key, and their indexes. Tables are named in braces, and so begin the names of their
   * indexes and constraints: `create index {tags}_object on {tags} (object)`. While a new version is built beside the live one, the
   * runner puts other names there.
   */
  readonly sql: string
  /** Whether its rows decide who may do what. */
  readonly rights?: boolean
}

/**
 * A read model made stream by stream.
 *
 * `step` is pure and sees one stream at a time; every row it makes belongs to that stream (its key holds the stream's id, or
 * something only that stream has). The same function serves the append, a rebuild and a check.
 *
 * While an append is being prepared the event's `position` is negative: the n-th event of the append has `-n`. Columns of type
 * bigint called `position` or `…_position` may hold it and get the real one when the row is written; nothing else may.
 */
export interface EntityProjection extends ReadModel {
  /** `inline`: written in the append's transaction, so a save is visible when it is answered. `async`: follows by checkpoint. */
  readonly mode: 'inline' | 'async'
  /** Its tables in the order in which `sql` makes them, and to which stream their rows belong. */
  readonly tables: Readonly<Record<string, RowOwner>>
  readonly step: (step: Step) => RowChange[]
}

/** A read model for which the order of events across streams counts. It always follows by checkpoint. */
export interface OrderedProjection extends ReadModel {
  readonly mode: 'async'
  /** Its tables in the order in which `sql` makes them. */
  readonly tables: readonly string[]
  /**
   * Applies a batch of events in log order, the next ones after those it was given before, with set-based SQL on its own tables, named
   * in braces. It runs in the transaction that moves the checkpoint, so it is applied exactly once; batches may have any size. It uses
   * nothing but the events and its own tables.
   */
  readonly apply: (events: readonly SiteEvent[], db: Db) => Promise<void>
}

/** A read model, one per file in `projections/` or in a plugin's folder. */
export type Projection = EntityProjection | OrderedProjection

/** Says that an object is a projection; the default export of its file. */
export function defineProjection<Kind extends Projection>(projection: Kind): Kind {
  return projection
}

/** Whether its rows are made stream by stream. */
export function isPerEntity(projection: Projection): projection is EntityProjection {
  return 'step' in projection
}

/** The names of a projection's tables. */
export function tablesOf({ tables }: Projection): readonly string[] {
  return Array.isArray(tables) ? tables : Object.keys(tables)
}

/** Puts tables' names where `text` has them in braces: `{pages}` becomes `pages` with the suffix. */
export function nameTables(projection: Projection, text: string, suffix = ''): string {
  const known = tablesOf(projection)
  return text.replace(/\{([a-z_][a-z0-9_]*)\}/g, (braces, table: string) =>
    known.includes(table) ? `${table}${suffix}` : braces,
  )
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
