import { canonicalJson, type Json } from '../../codec/json.ts'
import { refuse, spotIn, warn } from './findings.ts'
import { isContentClass, isRoleClass, type LegacyRow } from './history.ts'
import { derivedId, isUuid } from './ids.ts'
import type { LegacyRecord } from './record.ts'

/**
 * One entity from its first row to its last, wherever it was, and its record when it is among the living.
 *
 * A path that was deleted and created anew has had several; a page that moved has rows at several paths.
 */
export interface Life {
  readonly entityId: string
  readonly record: LegacyRecord | null
  /** Rows of content, moves and deletions, in the order of the files. */
  readonly rows: readonly LegacyRow[]
}

/** A backup's rows, sorted by what they are about. */
export interface Lives {
  readonly lives: ReadonlyMap<string, Life>
  /** Roles given and taken. */
  readonly roleRows: readonly LegacyRow[]
  /** Permissions given and taken. */
  readonly grantRows: readonly LegacyRow[]
  /** Rows of classes that rm3 0.x does not write, or that never took effect. */
  readonly oddRows: readonly LegacyRow[]
  /** The event that stands for a row. */
  readonly idOf: (row: LegacyRow) => string
}

/** Sorts the rows of all records. Ids that occur twice, and bases that lead back to themselves, are refused. */
export function sortLives(records: readonly LegacyRecord[]): Lives {
  const lives = new Map<
    string,
    { entityId: string; record: LegacyRecord | null; rows: LegacyRow[] }
  >()
  const lifeOf = (entityId: string) => {
    const life = lives.get(entityId) ?? { entityId, record: null, rows: [] }
    lives.set(entityId, life)
    return life
  }
  checkRecords(records)
  for (const record of records)
    if (record.content !== null) lifeOf(record.entityId).record ??= record
  const roleRows: LegacyRow[] = []
  const grantRows: LegacyRow[] = []
  const oddRows: LegacyRow[] = []
  for (const row of records.flatMap(record => record.rows)) {
    if (isOdd(row)) oddRows.push(row)
    else if (isRoleClass(row.evtClass)) roleRows.push(row)
    else if (isGrantClass(row.evtClass)) grantRows.push(row)
    else if (row.entityId !== null) lifeOf(row.entityId).rows.push(row)
  }
  const idOf = idsOf(records)
  for (const life of lives.values()) checkBases(life)
  return { lives, roleRows, grantRows, oddRows, idOf }
}

/** Whether the class is a permission given to, or taken from, a role. */
export function isGrantClass(evtClass: string): boolean {
  return evtClass === 'rm3:permit' || evtClass === 'rm3:deny'
}

function isOdd(row: LegacyRow): boolean {
  if (isContentClass(row.evtClass)) return false
  const known =
    row.evtClass === 'Move' ||
    row.evtClass === 'Delete' ||
    isRoleClass(row.evtClass) ||
    isGrantClass(row.evtClass)
  if (known && row.final) return false
  const rule = known ? 'row-not-executed' : 'unknown-class'
  warn(row.spot, rule, `a row ${row.evtClass.slice(0, 40)} that is kept, but does nothing`)
  return true
}

function checkRecords(records: readonly LegacyRecord[]): void {
  const seen = new Map<string, string>()
  for (const record of records) {
    for (const key of ['entityId', 'revisionId'] as const) {
      const id = `${key} ${record[key]}`
      const other = seen.get(id)
      if (other !== undefined)
        refuse(spotIn(record.spot, key), 'duplicate-id', `${other} has the same ${key}`)
      seen.set(id, record.spot.file)
    }
  }
}

/**
 * Ids of the events, by row. A page that was deleted and restored from a dump in its day has its rows twice, which is
 * no damage: the later ones get ids that follow from theirs. One id for two things is.
 */
function idsOf(records: readonly LegacyRecord[]): (row: LegacyRow) => string {
  const ids = new Map<LegacyRow, string>()
  const holders = new Map<string, LegacyRow>()
  const rows = records.flatMap(record => record.rows)
  const deleted = new Set(rows.filter(row => row.evtClass === 'Delete').map(row => row.path))
  for (const row of rows) {
    const stated = row.revisionId ?? ''
    const at = spotIn(row.spot, 'revisionId')
    const holder = holders.get(stated)
    if (holder === undefined && isUuid(stated)) {
      ids.set(row, stated)
    } else if (holder !== undefined && !(deleted.has(row.path) && isSameEdit(holder, row))) {
      refuse(at, 'duplicate-id', `${holder.spot.file} has the same revisionId`)
    } else {
      const times = [row.started, row.ended, row.touched, row.spot.tokens.join()] as Json[]
      ids.set(row, derivedId('rm3 0.x row', stated, row.path, times))
      warn(at, 'revision-id', 'not an unused uuid; the revision gets an id that follows from it')
    }
    if (holder === undefined) holders.set(stated, row)
  }
  return row => ids.get(row) ?? derivedId('rm3 0.x row', row.spot.file, row.spot.tokens.join())
}

function isSameEdit(one: LegacyRow, other: LegacyRow): boolean {
  if (one.entityId !== other.entityId || one.evtClass !== other.evtClass) return false
  if (one.number !== other.number || one.role !== other.role || one.path !== other.path)
    return false
  const documents = [one, other].map(row => canonicalJson((row.content?.document ?? null) as Json))
  return documents[0] === documents[1]
}

function checkBases(life: Life): void {
  const bases = new Map(life.rows.map(row => [row.revisionId, row.base]))
  const sound = new Set<string | null>()
  for (const row of life.rows) {
    const way = new Set<string | null>()
    let at: string | null = row.revisionId
    while (at !== null && !sound.has(at) && !way.has(at)) {
      way.add(at)
      at = bases.get(at) ?? null
    }
    if (at !== null && way.has(at)) {
      refuse(spotIn(row.spot, 'baseRevisionId'), 'cycle', 'the bases lead back to this revision')
      return
    }
    for (const passed of way) sound.add(passed)
  }
}
