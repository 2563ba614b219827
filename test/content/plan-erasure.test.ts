import fc from 'fast-check'
import { type Document, documentOf } from '../../src/content/document.ts'
import type { SiteEvent, StandIn } from '../../src/content/events.ts'
import { evolve } from '../../src/content/evolve.ts'
import { planErasure, type ReadEvent } from '../../src/content/plan-erasure.ts'
import type { Entity } from '../../src/content/state.ts'
import { EVENT_VERSIONS, upcast } from '../../src/content/upcast.ts'
import { assert, suite } from '../harness.ts'
import { anyDoings, type Doing, doable, wantedOf, wordsIn } from '../support/erasing.ts'
import { documentIn, ENTITY, frozen, recorded } from './any-history.ts'

const RUNS = { numRuns: 300, endOnFailure: true }

suite('planning an erasure', test => {
  test('leaves of any history what was not erased, and nothing of what was', () => {
    fc.assert(
      fc.property(anyDoings(40), doings => {
        const log = new OneStream()
        for (const doing of doings) {
          if (doing.type === 'erase') log.erase(doing)
          else log.act(doing)
        }
      }),
      RUNS,
    )
  })

  test('says that there is nothing to do where all was erased before', () => {
    const log = new OneStream()
    const text = { seed: 1, lines: 1, tags: [], proto: 'base' }
    log.act({ type: 'create', text, draft: false })

    log.erase({ type: 'erase', whole: true, picks: [] })

    assert.is(log.events.length, 2)
    assert.is(planErasure(log.events, 'whole', making(3)), null)
    assert.is(planErasure(log.events, new Set([1]), making(3)), null)
  })
})

/** A stream as the log keeps it. */
class OneStream {
  events: ReadEvent[] = []
  readonly #types: string[] = []
  readonly #documents = new Map<number, Document>()
  #entity: Entity | null = null

  act(action: Exclude<Doing, { type: 'erase' }>): void {
    const subject = {
      ...{ id: ENTITY, entity: this.#entity, documents: this.#documents },
      eventIdOf: (revision: number) => this.events[revision - 1]?.event.eventId ?? '',
    }
    for (const made of doable(action, subject)) {
      const event = recorded(made, this.events.length + 1)
      const after = evolve(this.#entity, event) as Entity
      if (after.tipRevision === event.revision) {
        this.#documents.set(event.revision, documentIn(action, this.#documents))
      }
      this.#add(event, after)
    }
  }

  erase(erasure: Extract<Doing, { type: 'erase' }>): void {
    if (this.events.length === 0) return
    const wanted = wantedOf(erasure, this.events.length)
    const revision = this.events.length + 1
    const statesBefore = this.#states()
    const plan = planErasure(frozen([...this.events]), wanted, making(revision))
    if (plan === null) return
    for (const gone of plan.data.revisions) this.#documents.delete(gone)
    const standIns = new Map(plan.data.standIns.map(standIn => [standIn.revision, standIn]))
    this.events = this.events.map(read => this.#emptied(read, standIns.get(read.event.revision)))
    const erased = {
      ...making(revision),
      type: 'Erased',
      data: plan.data,
      revision,
      position: revision,
    }
    this.#add(JSON.parse(JSON.stringify(erased)) as SiteEvent, plan.after)

    const states = this.#states()
    assert.is(JSON.stringify(states.at(-1)), JSON.stringify(plan.after)) // names such as `constructor` mislead assert.equal
    for (const [revision, document] of this.#documents) {
      const state = states[revision - 1] as Entity
      assert.equal([state.tipRevision, state.tipErased], [revision, undefined])
      assert.equal(documentOf(state.tip), document)
    }
    statesBefore.forEach((before, index) => {
      const { path, state, live, since, tipRevision, tipId, tipAuthor } = states[index] as Entity
      const now = [path, state, live?.revision, live?.author, since, tipRevision, tipId, tipAuthor]
      assert.equal(now, [
        ...[before.path, before.state, before.live?.revision, before.live?.author, before.since],
        ...[before.tipRevision, before.tipId, before.tipAuthor],
      ])
    })
    const left = wordsIn(JSON.stringify([this.events, plan.after]))
    const allowed = wordsIn(JSON.stringify([...this.#documents.values()]))
    assert.equal(
      [...left].filter(word => !allowed.has(word)),
      [],
    )
  }

  #add(event: SiteEvent, after: Entity): void {
    this.events.push({ event, meta: null, isEmptied: false, erased: null })
    this.#types.push(event.type)
    this.#entity = after
  }

  #emptied(read: ReadEvent, standIn: StandIn | undefined): ReadEvent {
    if (standIn === undefined) return read
    const { data, note, erased, meta, version } = standIn
    const type = this.#types[read.event.revision - 1] ?? ''
    const row = { ...read.event, type, version, note, data: data && JSON.stringify(data) }
    return { event: upcast(row), meta, isEmptied: true, erased }
  }

  #states(): Entity[] {
    const states: Entity[] = []
    for (const { event } of this.events) {
      states.push(evolve(states.at(-1) ?? null, event) as Entity)
    }
    return states
  }
}

function making(n: number) {
  const { eventId, actor, at, note } = recorded(
    { type: 'PageDeleted', stream: ENTITY, data: {} },
    n,
  )
  assert.is(EVENT_VERSIONS.Erased, 1)
  return { stream: ENTITY, eventId, actor, at, note }
}
