import type { Json, JsonObject } from '../../codec/json.ts'
import { sameJson } from '../../codec/json-compare.ts'
import type { Document } from '../../content/document.ts'
import { isObject, othersIn } from './fields.ts'
import type { LegacyRow } from './history.ts'
import type { Origin } from './plan.ts'

const COLUMNS = [
  'evtClass',
  'evtFinal',
  'evtStart',
  'evtEnd',
  'evtTouched',
  'baseRevisionId',
  'replaceRevisionId',
  'workflow',
]
const ROW_KEYS = new Set([
  ...COLUMNS,
  ...'path entityId note revisionId revisionNum actorPath data actorProto actorSummary'.split(' '),
])
const DATA_KEYS = new Set('fromData toData role permission path'.split(' '))

/**
 * What of a row has no place in its event, for `meta.import`: every other column as it stands in the backup, and
 * everything that rm3 0.x itself does not write. What only repeats something else is left out: the author's profile
 * of today, the search text, and a `fromData` that holds the new state (as rm3 0.x writes it) or a known one.
 *
 * @param known the live content before the row
 */
export function keptOf(origin: Origin, row: LegacyRow, known: Document | null): JsonObject {
  const { original, spot } = row
  const data = isObject(original['data']) ? original['data'] : {}
  const toData = isObject(data['toData']) ? data['toData'] : {}
  return withoutEmpty({
    from: origin.from,
    file: spot.file,
    place: spot.tokens.join('/'),
    path: row.path,
    revisionId: original['revisionId'],
    ...Object.fromEntries(COLUMNS.map(column => [column, original[column]])),
    actorPath: row.actorPath,
    touched: toData['touched'],
    toData: row.content?.others,
    fromData: fromDataOf(row, data, known),
    data: othersIn(data, DATA_KEYS),
    row: othersIn(original, ROW_KEYS),
    ...authorOf(origin, row),
  })
}

/** `object` without the members that are null, absent or empty objects. */
export function withoutEmpty(object: { [key: string]: Json | undefined }): JsonObject {
  const kept: JsonObject = {}
  for (const [key, value] of Object.entries(object)) {
    if (value === null || value === undefined) continue
    if (isObject(value) && Object.keys(value).length === 0) continue
    kept[key] = value
  }
  return kept
}

/** Whether two documents say the same. Costs no more than the smaller of them. */
export function isSameDocument(one: Document, other: Document): boolean {
  return sameJson(partsOf(one), partsOf(other))
}

function partsOf({ proto, hidden, summary, data, tags }: Document): Json[] {
  return [proto, hidden, summary, data, tags]
}

function fromDataOf(row: LegacyRow, data: JsonObject, known: Document | null): Json | undefined {
  const { fromData } = data
  if (!isObject(fromData)) return fromData
  const repeated = row.content?.document ?? known
  if (repeated === null) return fromData
  const { proto, hidden, summary, tags } = fromData
  const stated = { proto, hidden: hidden ?? repeated.hidden, summary, data: fromData['data'], tags }
  const complete = Object.values(stated).every(value => value !== undefined)
  return complete && isSameDocument(stated as Document, repeated) ? undefined : fromData
}

function authorOf(origin: Origin, row: LegacyRow): { [key: string]: Json | undefined } {
  const { actorProto, actorSummary } = row.original
  const record = row.actorPath === null ? undefined : origin.recordAt(row.actorPath)
  const summary = record?.content?.document.summary
  if (summary && actorSummary && sameJson(summary, actorSummary)) return {}
  return { actorProto, actorSummary }
}
