import type { JsonObject } from '../../codec/json.ts'
import type { NewEvent } from '../../content/events.ts'
import { type Findings, refuse, spotOf, warn } from './findings.ts'
import type { PlannedAppend, PlannedEvent, Step } from './plan.ts'

interface Numbering {
  readonly findings: Findings
  /** Revisions given so far, by stream. */
  readonly revisions: Map<string, number>
  /** Where each event stands. */
  readonly places: Map<string, { stream: string; revision: number }>
  /** The last revision with content, by stream. */
  readonly contents: Map<string, number>
}

/** Steps, in the order of the log, as appends: each event's place in its stream is known now, and so are the bases. */
export function numberSteps(steps: readonly Step[], findings: Findings): PlannedAppend[] {
  const numbering: Numbering = {
    findings,
    revisions: new Map(),
    places: new Map(),
    contents: new Map(),
  }
  const appends: { recordedAt: string; events: PlannedEvent[] }[] = []
  for (const step of steps) {
    const event = numbered(step, numbering)
    const last = appends.at(-1)
    if (step.joined && last !== undefined) last.events.push(event)
    else appends.push({ recordedAt: new Date(step.time).toISOString(), events: [event] })
  }
  return appends
}

function numbered(step: Step, numbering: Numbering): PlannedEvent {
  const { eventId, actor, at, note, kept } = step
  const { stream } = step.fact
  const fact = withReference(step, numbering)
  if (numbering.places.has(eventId))
    refuse(spotFor(kept, numbering.findings), 'duplicate-id', `the id ${eventId} occurs twice`)
  const revision = (numbering.revisions.get(stream) ?? 0) + 1
  numbering.revisions.set(stream, revision)
  numbering.places.set(eventId, { stream, revision })
  if ('document' in fact.data || fact.type === 'PagePublished')
    numbering.contents.set(stream, revision)
  return { ...fact, eventId, actor, at, note, meta: { door: 'import', import: kept } }
}

function withReference(step: Step, numbering: Numbering): NewEvent {
  const { fact } = step
  if (fact.type === 'PagePublished')
    return { ...fact, data: { ...fact.data, revision: revisionOf(step, numbering) } }
  if (fact.type === 'PageRevised')
    return { ...fact, data: { ...fact.data, base: revisionOf(step, numbering) } }
  return fact
}

/** The revision that the step means; when it is not before it in its stream, the last one with content. */
function revisionOf({ fact, refersTo, kept }: Step, numbering: Numbering): number {
  const last = numbering.contents.get(fact.stream) ?? 1
  if (!refersTo) return last
  const meant = numbering.places.get(refersTo)
  if (meant?.stream === fact.stream) return meant.revision
  const message = `the base ${refersTo} is not an earlier revision of the page`
  warn(spotFor(kept, numbering.findings), 'base-unknown', message)
  return last
}

function spotFor({ file, place }: JsonObject, findings: Findings) {
  const tokens = typeof place === 'string' && place !== '' ? place.split('/') : []
  return {
    ...spotOf(typeof file === 'string' ? file : 'catalog.json', undefined, findings),
    tokens,
  }
}
