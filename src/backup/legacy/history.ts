import type { JsonObject } from '../../codec/json.ts'
import type { Document } from '../../content/document.ts'
import {
  findFlag,
  findInstant,
  findNumber,
  findPath,
  findText,
  findUuid,
  isObject,
  objectAt,
  othersIn,
  textAt,
} from './fields.ts'
import { refuse, type Spot, spotIn, warn } from './findings.ts'

/** A page's content as one row or record of rm3 0.x states it. `hidden` is null where the version had no such flag. */
export interface LegacyContent {
  readonly document: Document
  readonly hidden: boolean | null
  readonly created: string | null
  readonly modified: string | null
  /** Members that rm3 0.x itself does not write. */
  readonly others: JsonObject
}

/** One row of the old log. Instants are normalised; `original` is the row as it stands in the file. */
export interface LegacyRow {
  readonly spot: Spot
  readonly path: string
  readonly entityId: string | null
  readonly revisionId: string | null
  readonly number: number | null
  readonly base: string | null
  readonly note: string | null
  readonly started: string | null
  readonly ended: string | null
  readonly touched: string | null
  readonly evtClass: string
  readonly final: boolean
  readonly actorPath: string | null
  readonly content: LegacyContent | null
  /** What a move or deletion found; for an update rm3 0.x wrote the new state here, so it is null then. */
  readonly before: LegacyContent | null
  readonly toPath: string | null
  readonly role: string | null
  readonly original: JsonObject
}

const CONTENT_KEYS = new Set(
  'path stub entityId proto modified hidden created touched summary data tags fullTextString'.split(
    ' ',
  ),
)

/** Event classes of rm3 0.x that carry a page's content. */
export function isContentClass(evtClass: string): boolean {
  return evtClass === 'Create' || evtClass === 'Update'
}

/** The row at `spot`, in the history of the page at `path`. */
export function readRow(spot: Spot, path: string): LegacyRow {
  const original = objectAt(spot)
  const evtClass = textAt(spotIn(spot, 'evtClass'))
  const data = spotIn(spot, 'data')
  if (data.value !== null && data.value !== undefined) objectAt(data)
  const leaves = evtClass === 'Move' || evtClass === 'Delete'
  const toPath = evtClass === 'Move' ? findPath(spotIn(data, 'toPath')) : null
  if (evtClass === 'Move' && toPath === null)
    refuse(spotIn(data, 'toPath'), 'missing', 'a move must say where to')
  const row: LegacyRow = {
    spot,
    path: findPath(spotIn(spot, 'path')) ?? path,
    entityId: findUuid(spotIn(spot, 'entityId')),
    revisionId: findText(spotIn(spot, 'revisionId'))?.toLowerCase() ?? null,
    number: findNumber(spotIn(spot, 'revisionNum')),
    base: findText(spotIn(spot, 'baseRevisionId'))?.toLowerCase() ?? null,
    note: findText(spotIn(spot, 'note')),
    started: findInstant(spotIn(spot, 'evtStart')),
    ended: findInstant(spotIn(spot, 'evtEnd')),
    touched: findInstant(spotIn(spot, 'evtTouched')),
    evtClass,
    final: findFlag(spotIn(spot, 'evtFinal')) ?? false,
    actorPath: findPath(spotIn(spot, 'actorPath')),
    content: isContentClass(evtClass) ? readContent(spotIn(data, 'toData')) : null,
    before: leaves && isObject(spotIn(data, 'fromData').value) ? readBefore(data) : null,
    toPath,
    role: isRoleClass(evtClass) ? textAt(spotIn(data, 'role')) : null,
    original,
  }
  checkRow(row)
  return row
}

/** Whether the class is a role given to, or taken from, the user at the row's path. */
export function isRoleClass(evtClass: string): boolean {
  return evtClass === 'rm3:assign' || evtClass === 'rm3:deassign'
}

/** Content as `toData`, `fromData` and a record hold it. */
export function readContent(spot: Spot): LegacyContent {
  const all = objectAt(spot)
  const hidden = findFlag(spotIn(spot, 'hidden'))
  const tags = spotIn(spot, 'tags')
  return {
    document: {
      proto: textAt(spotIn(spot, 'proto')),
      hidden: hidden ?? false,
      summary: objectAt(spotIn(spot, 'summary')),
      data: objectAt(spotIn(spot, 'data')),
      tags: tags.value === null || tags.value === undefined ? {} : objectAt(tags),
    },
    hidden,
    created: findInstant(spotIn(spot, 'created')),
    modified: findInstant(spotIn(spot, 'modified')),
    others: othersIn(all, CONTENT_KEYS),
  }
}

/** A deletion's or move's `fromData`, when it is whole; of a stub there is only a part, which nobody needs. */
function readBefore(data: Spot): LegacyContent | null {
  const spot = spotIn(data, 'fromData')
  const whole = ['proto', 'summary', 'data'].every(key => Boolean(spotIn(spot, key).value))
  return whole ? readContent(spot) : null
}

function checkRow(row: LegacyRow): void {
  const { spot } = row
  if (row.revisionId === null) refuse(spotIn(spot, 'revisionId'), 'missing', 'the id is missing')
  const ofPage =
    isContentClass(row.evtClass) || row.evtClass === 'Move' || row.evtClass === 'Delete'
  if (ofPage && row.entityId === null)
    refuse(spotIn(spot, 'entityId'), 'missing', 'the id of the page is missing')
  if (row.base !== null && row.base === row.revisionId)
    refuse(spotIn(spot, 'baseRevisionId'), 'cycle', 'a revision is its own base')
  if (row.touched === null && row.started === null && row.ended === null)
    warn(spot, 'time-missing', 'the row has no time of its own')
  if (row.content === null) return
  const toData = spotIn(spotIn(spot, 'data'), 'toData')
  const { value: path } = spotIn(toData, 'path')
  const { value: entityId } = spotIn(toData, 'entityId')
  if (typeof path === 'string' && path.toLowerCase() !== row.path.toLowerCase())
    warn(spotIn(toData, 'path'), 'path-differs', `the row is at ${row.path}`)
  if (typeof entityId === 'string' && entityId.toLowerCase() !== row.entityId)
    warn(spotIn(toData, 'entityId'), 'entity-differs', `the row is of ${row.entityId}`)
}
