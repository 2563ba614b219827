import { hashDocument } from '../../codec/json.ts'
import type { NewEvent } from '../../content/events.ts'
import { warn } from './findings.ts'
import type { LegacyContent, LegacyRow } from './history.ts'
import { isUuid } from './ids.ts'
import { isSameDocument, withoutEmpty } from './kept.ts'
import { documentOf, type Telling, tellMoment, tellSynthesised, tellWhereabouts } from './life.ts'
import type { Life } from './lives.ts'
import { type Moment, momentsOf } from './moments.ts'
import { importedOf, type Origin, type Step } from './plan.ts'
import type { LegacyRecord } from './record.ts'
import { instantOfUuid } from './times.ts'

/** `homeless`: rows about a page of which nothing else is known. */
export interface ToldLife {
  readonly steps: Step[]
  readonly homeless: readonly LegacyRow[]
}

const HEAD = 'the head that the record names'

/**
 * A life as steps, oldest first, ending as its record has it: same path, same revision, same content.
 *
 * Where the rows do not lead there, synthesised steps do, each with a warning. A life without a record ends as its
 * rows end.
 *
 * @param idsUsed ids that rows have; none of them is given to a synthesised event
 */
export function tellLife(life: Life, origin: Origin, idsUsed: ReadonlySet<string>): ToldLife {
  const telling: Telling = {
    origin,
    life,
    steps: [],
    homeless: [],
    path: null,
    deleted: false,
    live: null,
    headId: null,
  }
  const moments = momentsOf(life.rows, origin.dumpedAt)
  tellArrival(telling, moments, idsUsed)
  for (const moment of moments) tellMoment(telling, moment)
  if (life.record?.content) tellRecord(telling, life.record, life.record.content, idsUsed)
  return { steps: inOrder(telling.steps), homeless: telling.homeless }
}

/** The page as it was when its first row found it: what came before is under a path that the backup does not have. */
function tellArrival(telling: Telling, moments: Moment[], idsUsed: ReadonlySet<string>): void {
  const { life } = telling
  const [first] = moments
  if (first === undefined || first.row.evtClass === 'Create') return
  const { row } = first
  const live = moments.find(moment => moment.row.final && moment.row.content !== null)
  const content = row.before ?? live?.row.content ?? life.record?.content ?? row.content
  if (!content) return
  warn(row.spot, 'history-starts-late', 'what came before this row is not in the backup')
  const isFree = row.base !== null && isUuid(row.base) && !idsUsed.has(row.base)
  const made = isFree && row.base !== null ? instantOfUuid(row.base) : null
  const at = made !== null && made < first.at ? made : first.at
  const number = row.number !== null && row.number > 1 ? row.number - 1 : null
  tellCreation(telling, { path: row.path, content, number, at, id: isFree ? row.base : null })
}

/** A page that is created by what is known of it, not by a row. */
function tellCreation(
  telling: Telling,
  page: {
    path: string
    content: LegacyContent
    number: number | null
    at: string
    id: string | null
  },
): void {
  const { path, content, number, at, id } = page
  const document = documentOf(telling, content, id ?? '')
  const data = { path, document, ...importedOf(number, content) }
  const fact: NewEvent = { type: 'PageCreated', stream: telling.life.entityId, data }
  tellSynthesised(telling, { fact, at, ...(id !== null && { eventId: id }) }, 'snapshot')
  telling.path = path
  const made = telling.steps.at(-1)
  telling.live = { id: made?.eventId ?? '', content: { ...content, document } }
  telling.headId = telling.live.id
}

function tellRecord(
  telling: Telling,
  record: LegacyRecord,
  content: LegacyContent,
  idsUsed: ReadonlySet<string>,
): void {
  const { origin } = telling
  const isFree = !idsUsed.has(record.revisionId)
  if (telling.path === null) {
    const { path, number } = record
    const made = isFree ? instantOfUuid(record.revisionId) : null
    const stated = record.touched ?? content.modified ?? content.created ?? origin.dumpedAt
    const at = made !== null && made <= origin.dumpedAt ? made : stated
    warn(record.spot, 'no-history', 'the page has no history; its present state is all there is')
    tellCreation(telling, { path, content, number, at, id: isFree ? record.revisionId : null })
  }
  const at = lastInstant(telling, record.touched ?? origin.dumpedAt)
  if (telling.deleted) {
    const { path } = record
    const fact: NewEvent = { type: 'PageUndeleted', stream: record.entityId, data: { path } }
    warn(record.spot, 'head', 'the page is there although its last row deletes it')
    tellSynthesised(telling, { fact, at }, 'there although deleted')
    telling.deleted = false
    telling.path = path
  }
  tellWhereabouts(telling, record.path, at)
  tellHead(telling, record, at)
  tellDifference(telling, record, content, at, isFree)
  const last = telling.steps.at(-1)
  const isHead = telling.headId === record.revisionId || telling.live?.id === record.revisionId
  const revisionId = isHead ? {} : { revisionId: record.revisionId }
  const others = withoutEmpty({ record: { ...record.others, ...revisionId } })
  if (last !== undefined) Object.assign(last.kept, others)
}

/** Puts live what the record names, when something else was last to go live. */
function tellHead(telling: Telling, record: LegacyRecord, at: string): void {
  const { life, origin } = telling
  if (telling.headId === record.revisionId || telling.live?.id === record.revisionId) return
  const row = life.rows.find(({ revisionId }) => revisionId === record.revisionId)
  if (!row?.content) return
  const id = origin.idOf(row)
  const document = documentOf(telling, row.content, id)
  warn(record.spot, 'head', 'the live revision is not the one that was published last')
  const data = { revision: 0, hash: hashDocument(document), ...importedOf(row.number, row.content) }
  const fact: NewEvent = { type: 'PagePublished', stream: life.entityId, data }
  tellSynthesised(telling, { fact, at, refersTo: id }, HEAD)
  telling.live = { id, content: { ...row.content, document } }
}

/** The record's own content as a revision, when the history leads to something else: both are facts of the backup. */
function tellDifference(
  telling: Telling,
  record: LegacyRecord,
  content: LegacyContent,
  at: string,
  isFree: boolean,
): void {
  const { live, life } = telling
  const hidden = content.hidden ?? live?.content.document.hidden ?? false
  const document = { ...content.document, hidden }
  if (live !== null && isSameDocument(live.content.document, document)) return
  warn(record.spot, 'record-differs', 'the page is not what its history leads to; both are kept')
  // the times of a record may be shifted by a time zone: the last row's are the right ones
  const times = { created: live?.content.created ?? null, modified: live?.content.modified ?? null }
  const data = { base: 0, document, ...importedOf(record.number, { ...content, ...times }) }
  const fact: NewEvent = { type: 'PageRevised', stream: life.entityId, data }
  const own = isFree && live?.id !== record.revisionId ? { eventId: record.revisionId } : {}
  tellSynthesised(telling, { fact, at, refersTo: live?.id ?? null, ...own }, 'the record differs')
}

function lastInstant(telling: Telling, atLeast: string): string {
  const last = telling.steps.at(-1)?.at ?? atLeast
  return last > atLeast ? last : atLeast
}

/** Times that never go back within the stream. */
function inOrder(steps: Step[]): Step[] {
  let time = Number.NEGATIVE_INFINITY
  for (const step of steps) {
    time = Math.max(time, step.time)
    step.time = time
  }
  return steps
}
