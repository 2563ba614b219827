import type { JsonObject } from '../../codec/json.ts'
import {
  findFlag,
  findInstant,
  findNumber,
  findPath,
  findUuid,
  itemsAt,
  objectAt,
} from './fields.ts'
import type { Findings } from './findings.ts'
import { refuse, type Spot, spotIn, spotOf, warn } from './findings.ts'
import { type LegacyContent, type LegacyRow, readContent, readRow } from './history.ts'
import { SITE_STREAMS } from './ids.ts'

/** One `*-data.json`: the page as it was when the backup was made, and the rows of the old log at its path. */
export interface LegacyRecord {
  readonly spot: Spot
  readonly path: string
  readonly entityId: string
  readonly revisionId: string
  readonly number: number | null
  /** A stub is what a deleted or moved page leaves behind; it has no content. */
  readonly content: LegacyContent | null
  readonly touched: string | null
  readonly rows: readonly LegacyRow[]
  /** Whether the file has a `history` at all. */
  readonly hasHistory: boolean
  /** Members that rm3 0.x itself does not write. */
  readonly others: JsonObject
}

/** Where a record is from, and how it is read. */
export interface RecordSource {
  readonly file: string
  readonly path: string | null
  readonly findings: Findings
  /** Makes the ids that a page written by hand does not have; without it they are missed. */
  readonly newId?: (() => string) | undefined
}

const ROWS_MAX = 1_000_000
const RECORD_KEYS = new Set(['revisionId', 'revisionNum', 'history', 'dump_date', 'dump_version'])

/**
 * The record in `value`.
 *
 * @param path where the page must be; null takes the record's word
 * @returns undefined when it is no record; what is wrong with it is among the findings
 */
export function readRecord(value: unknown, from: RecordSource): LegacyRecord | undefined {
  const spot = spotOf(from.file, value, from.findings)
  objectAt(spot)
  const stated = findPath(spotIn(spot, 'path'))
  if (stated === null) refuse(spotIn(spot, 'path'), 'missing', 'the path is missing')
  if (from.path !== null && stated !== null && stated !== from.path)
    refuse(spotIn(spot, 'path'), 'path-differs', `the catalog has this file for ${from.path}`)
  const path = from.path ?? stated
  const entityId = idAt(spotIn(spot, 'entityId'), from)
  const revisionId = idAt(spotIn(spot, 'revisionId'), from)
  if (path === null || entityId === null || revisionId === null) return undefined
  if (SITE_STREAMS.has(entityId))
    refuse(spotIn(spot, 'entityId'), 'reserved', 'this id is one of the site itself')
  const stub = findFlag(spotIn(spot, 'stub')) ?? false
  if (stub) warn(spot, 'stub', 'only the trace of a deleted or moved page')
  const content = stub ? null : readContent(spot)
  const { others = {} } = content ?? {}
  return {
    spot,
    path,
    entityId,
    revisionId,
    number: findNumber(spotIn(spot, 'revisionNum')),
    content,
    touched: findInstant(spotIn(spot, 'touched')),
    rows: rowsOf(spot, path),
    hasHistory: spotIn(spot, 'history').value !== undefined,
    others: Object.fromEntries(Object.entries(others).filter(([key]) => !RECORD_KEYS.has(key))),
  }
}

function rowsOf(record: Spot, path: string): LegacyRow[] {
  const history = spotIn(record, 'history')
  if (history.value === undefined || history.value === null) return []
  const items = itemsAt(history)
  if (items.length <= ROWS_MAX) return items.map(item => readRow(item, path))
  refuse(history, 'too-many-rows', `more than ${ROWS_MAX} rows`)
  return []
}

function idAt(spot: Spot, { newId }: RecordSource): string | null {
  const isMissing = spot.value === undefined || spot.value === null
  if (isMissing && newId !== undefined) return newId()
  if (isMissing) refuse(spot, 'missing', 'the id is missing')
  return findUuid(spot)
}
