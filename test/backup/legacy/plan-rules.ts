import type { LegacyBackup } from '../../../src/backup/legacy/backup.ts'
import { isUuid } from '../../../src/backup/legacy/ids.ts'
import type { PlannedEvent } from '../../../src/backup/legacy/plan.ts'
import { makeChange } from '../../../src/codec/change.ts'
import { hashDocument } from '../../../src/codec/json.ts'
import { type Document, documentOf } from '../../../src/content/document.ts'
import { GRANTS_STREAM, type SiteEvent } from '../../../src/content/events.ts'
import { evolve } from '../../../src/content/evolve.ts'
import type { State } from '../../../src/content/state.ts'
import { assert } from '../../harness.ts'

/** Asserts what every plan keeps to, whatever the backup was. */
export function checkPlan(backup: LegacyBackup): void {
  const events = backup.events.flatMap(append => append.events)
  const times = backup.events.map(append => append.recordedAt)
  assert.equal(times, [...times].sort())
  assert.ok((times.at(-1) ?? '') <= backup.dumpedAt, 'nothing is recorded after the backup')
  assert.is(new Set(events.map(({ eventId }) => eventId)).size, events.length)
  for (const { eventId, stream } of events) assert.ok(isUuid(eventId) && isUuid(stream))
  checkStreams(events)
  checkPaths(events)
  checkFolds(events)
}

/** The content layer can fold every stream, and finds the documents that were meant to go live. */
function checkFolds(events: readonly PlannedEvent[]): void {
  const states = new Map<string, State>()
  const documents = new Map<string, Document>()
  for (const [index, event] of events.entries()) {
    const state = states.get(event.stream) ?? null
    const revision = (state?.revision ?? 0) + 1
    if ('document' in event.data) documents.set(`${event.stream} ${revision}`, event.data.document)
    const ready = {
      ...event,
      data: withPatch(event, state, documents),
      revision,
      position: index + 1,
    }
    states.set(event.stream, evolve(state, ready as SiteEvent))
  }
}

/** As the loader does: a publication of what is not the newest says how it follows from the newest. */
function withPatch(
  { type, data, stream }: PlannedEvent,
  state: State | null,
  documents: ReadonlyMap<string, Document>,
) {
  if (type !== 'PagePublished' || state?.kind !== 'entity') return data
  const document = documents.get(`${stream} ${data.revision}`)
  if (document === undefined) throw new Error(`nothing to publish in ${stream}`)
  assert.is('hash' in data && data.hash, hashDocument(document))
  return { ...data, patch: makeChange(documentOf(state.tip), document) }
}

function checkStreams(events: readonly PlannedEvent[]): void {
  const streams = new Map<string, PlannedEvent[]>()
  for (const event of events) {
    const stream = streams.get(event.stream) ?? []
    streams.set(event.stream, stream)
    stream.push(event)
    const revision = stream.length
    if (event.stream === GRANTS_STREAM) continue
    assert.is(event.type === 'PageCreated', revision === 1, `${event.type} as revision ${revision}`)
    if (event.type === 'PageRevised')
      assert.ok(event.data.base >= 1 && event.data.base < revision, `base of ${event.eventId}`)
    if (event.type === 'PagePublished') {
      const { data } = stream[event.data.revision - 1] ?? {}
      assert.ok(event.data.revision < revision && data !== undefined && 'document' in data)
    }
  }
}

/** No two pages live at one path, nothing moves from where it is not, nothing is deleted twice. */
function checkPaths(events: readonly PlannedEvent[]): void {
  const at = new Map<string, string>()
  const where = new Map<string, string>()
  const settle = (path: string, stream: string) => {
    assert.ok(!at.has(path) || at.get(path) === stream, `${path} is taken`)
    at.set(path, stream)
  }
  for (const { type, data, stream } of events) {
    const path = where.get(stream) ?? ''
    const isLive = at.get(path) === stream
    if (type === 'PageCreated') where.set(stream, data.path)
    if (type === 'PageCreated' && !data.draft) settle(data.path, stream)
    if ((type === 'PageRevised' && !data.draft) || type === 'PagePublished') settle(path, stream)
    if (type === 'PageMoved') {
      assert.is(data.from, path)
      if (isLive) at.delete(path)
      if (isLive) settle(data.to, stream)
      where.set(stream, data.to)
    }
    if (type === 'PageDeleted') {
      assert.ok(isLive, `${path} is deleted, but not live`)
      at.delete(path)
    }
    if (type === 'PageUndeleted') {
      assert.ok(!isLive, `${path} is undeleted, but live`)
      where.set(stream, data.path)
      settle(data.path, stream)
    }
  }
}
