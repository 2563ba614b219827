import { hashDocument, type JsonObject } from '../../codec/json.ts'
import type { Document } from '../../content/document.ts'
import type { NewEvent, Review } from '../../content/events.ts'
import { isObject } from './fields.ts'
import { warn } from './findings.ts'
import type { LegacyContent, LegacyRow } from './history.ts'
import { derivedId } from './ids.ts'
import { keptOf } from './kept.ts'
import type { Life } from './lives.ts'
import type { Moment } from './moments.ts'
import { importedOf, type Origin, type Step, synthesised } from './plan.ts'

/** A life while its steps are made: where the page is and what it shows after the last of them. */
export interface Telling {
  readonly origin: Origin
  readonly life: Life
  readonly steps: Step[]
  /** Rows about a page that nothing else is known of. */
  readonly homeless: LegacyRow[]
  /** Null until the page exists. */
  path: string | null
  deleted: boolean
  /** What is live, and the event that made it so; null before anything went live. */
  live: { readonly id: string; readonly content: LegacyContent } | null
  /** The last event that the old system gave a revision id and that took effect. */
  headId: string | null
}

/** Adds the steps of one moment. */
export function tellMoment(telling: Telling, moment: Moment): void {
  if (isIdle(telling, moment)) keepIdle(telling, moment.row)
  else if (moment.kind === 'move') tellMove(telling, moment)
  else if (moment.kind === 'delete') tellDeletion(telling, moment)
  else if (moment.kind === 'publish') tellPublication(telling, moment)
  else tellContent(telling, moment)
}

/** Whether the moment moves or deletes a page that is not there. */
function isIdle({ path, deleted, live }: Telling, { kind }: Moment): boolean {
  if (kind === 'move') return path === null || deleted
  return kind === 'delete' && (live === null || deleted)
}

function keepIdle(telling: Telling, row: LegacyRow): void {
  warn(row.spot, 'row-without-effect', 'the page was not there; the row is kept, but does nothing')
  telling.homeless.push(row)
}

/** Adds a step that the old log has no row for. */
export function tellSynthesised(
  telling: Telling,
  step: Pick<Step, 'fact' | 'at'> & Partial<Step>,
  why: string,
): void {
  const { origin, steps, life } = telling
  const eventId =
    step.eventId ?? derivedId('rm3 0.x', origin.identity, life.entityId, why, steps.length)
  steps.push(synthesised(origin, { ...step, eventId }, why))
}

/** The content of a row with the flag that its version may not have had. */
export function documentOf(telling: Telling, content: LegacyContent, id: string): Document {
  if (content.hidden !== null) return content.document
  const { record } = telling.life
  const hidden = record?.revisionId === id && record.content?.hidden === true
  return { ...content.document, hidden }
}

function tellContent(telling: Telling, moment: Moment): void {
  const { row, at } = moment
  const { life, origin } = telling
  if (row.content === null) return
  const eventId = origin.idOf(row)
  const live = moment.kind === 'live' && prepareLive(telling, moment)
  const stream = life.entityId
  const document = documentOf(telling, row.content, eventId)
  const review = reviewOf(row)
  const flags = { ...(!live && { draft: true as const }), ...(!live && review && { review }) }
  const imported = importedOf(row.number, row.content)
  const { modified } = row.content
  const minor = modified !== null && telling.live?.content.modified === modified
  const fact: NewEvent =
    telling.path === null
      ? { type: 'PageCreated', stream, data: { path: row.path, document, ...imported, ...flags } }
      : {
          type: 'PageRevised',
          stream,
          data: { base: 0, document, ...imported, ...flags, ...(minor && { minor: true }) },
        }
  push(telling, moment, { fact, eventId, refersTo: row.base })
  telling.path ??= row.path
  if (live) goLive(telling, eventId, { ...row.content, document })
  else if (moment.kind === 'live')
    warn(
      row.spot,
      'after-deletion',
      `published after the page's deletion at ${at}: kept as a draft`,
    )
}

/** Whether the row can go live: brings the page back, or to the row's path, where the log does not say how it came. */
function prepareLive(telling: Telling, { row, at }: Moment): boolean {
  const { life, path } = telling
  if (path === null) return true
  if (telling.deleted) {
    if (row.evtClass !== 'Create') return false
    const fact: NewEvent = {
      type: 'PageUndeleted',
      stream: life.entityId,
      data: { path: row.path },
    }
    tellSynthesised(telling, { fact, at }, 'created again under the same id')
    telling.deleted = false
    telling.path = row.path
  }
  tellWhereabouts(telling, row.path, at)
  return true
}

/** A move that no row tells of, when the page is not at `path`. */
export function tellWhereabouts(telling: Telling, path: string, at: string): void {
  const from = telling.path
  if (from === null || from === path) return
  const fact: NewEvent = {
    type: 'PageMoved',
    stream: telling.life.entityId,
    data: { from, to: path },
  }
  tellSynthesised(telling, { fact, at }, 'found at another path')
  telling.path = path
}

function tellPublication(telling: Telling, moment: Moment): void {
  const { row } = moment
  const { life, origin } = telling
  if (row.content === null) return
  const id = origin.idOf(row)
  if (telling.deleted) {
    warn(row.spot, 'after-deletion', "published after the page's deletion: kept as a draft")
    return
  }
  const document = documentOf(telling, row.content, id)
  const imported = importedOf(row.number, row.content)
  const data = { revision: 0, hash: hashDocument(document), ...imported }
  tellWhereabouts(telling, row.path, moment.at)
  // rm3 0.x does not keep who published
  const step = {
    fact: { type: 'PagePublished', stream: life.entityId, data } as const,
    eventId: derivedId('rm3 0.x published', id),
    at: moment.at,
    refersTo: id,
    kept: { file: row.spot.file, place: row.spot.tokens.join('/') },
  }
  tellSynthesised(telling, step, 'published later than written')
  goLive(telling, id, { ...row.content, document })
}

function tellMove(telling: Telling, moment: Moment): void {
  const { row } = moment
  if (row.toPath === null) return
  tellWhereabouts(telling, row.path, moment.at)
  const data = { from: row.path, to: row.toPath, ...importedOf(row.number, null) }
  const eventId = telling.origin.idOf(row)
  push(telling, moment, {
    fact: { type: 'PageMoved', stream: telling.life.entityId, data },
    eventId,
  })
  telling.path = row.toPath
  telling.headId = eventId
}

function tellDeletion(telling: Telling, moment: Moment): void {
  const { row } = moment
  const old = row.original['data']
  const stated = isObject(old) ? old['redirect'] : undefined
  const redirect = typeof stated === 'string' && isRedirect(stated) ? stated : undefined
  if (redirect === undefined && stated !== undefined && stated !== null && stated !== '')
    warn(row.spot, 'redirect', 'the redirect is no address; it is kept, but leads nowhere')
  const data = { ...(redirect !== undefined && { redirect }), ...importedOf(row.number, null) }
  const eventId = telling.origin.idOf(row)
  const fact: NewEvent = { type: 'PageDeleted', stream: telling.life.entityId, data }
  push(telling, moment, { fact, eventId })
  telling.deleted = true
  telling.headId = eventId
}

function push(
  telling: Telling,
  { row, at }: Moment,
  step: Pick<Step, 'fact' | 'eventId'> & Partial<Step>,
): void {
  const { origin } = telling
  const time = Date.parse(at)
  const kept: JsonObject = keptOf(origin, row, telling.live?.content.document ?? null)
  const actor = origin.actorOf(row.actorPath, time)
  telling.steps.push({ actor, at, time, note: row.note, kept, ...step })
}

function goLive(telling: Telling, id: string, content: LegacyContent): void {
  telling.live = { id, content }
  telling.headId = id
}

function reviewOf(row: LegacyRow): Review | null {
  const { workflow } = row.original
  if (!isObject(workflow)) return null
  const machine = isObject(workflow['__machina__']) ? workflow['__machina__'] : {}
  const publish = isObject(machine['publish']) ? machine['publish'] : {}
  if (publish['state'] === 'rejected') return 'rejected'
  return workflow['needsReview'] === true || publish['state'] === 'review' ? 'waiting' : null
}

function isRedirect(text: string): boolean {
  if (text.startsWith('/')) return !/^\/[/\\]/.test(text)
  return /^https?:\/\//i.test(text) && URL.canParse(text)
}
