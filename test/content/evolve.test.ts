import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { hashDocument } from '../../src/codec/json.ts'
import { pack, unpack } from '../../src/codec/pack.ts'
import { documentOf } from '../../src/content/document.ts'
import type { SiteEvent } from '../../src/content/events.ts'
import { evolve } from '../../src/content/evolve.ts'
import { type Entity, isKeyframe, KEYFRAME_EVENTS, type State } from '../../src/content/state.ts'
import { isRm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { anyActions, type History, historyOf } from './any-history.ts'

const RUNS = { numRuns: 60 }

suite('evolve', test => {
  test('any history folded from any keyframe is the one folded whole', () => {
    fc.assert(
      fc.property(anyActions(90), actions => {
        const { events, states } = historyOf(actions)
        const whole = fold(null, events)
        assert.ok(isDeepStrictEqual(whole, states.at(-1)))
        for (const keyframe of states.filter(isKeyframe)) {
          const kept = unpack(pack(keyframe)) as unknown as State
          assert.ok(isDeepStrictEqual(fold(kept, events.slice(keyframe.revision)), whole))
        }
      }),
      RUNS,
    )
  })

  test('an event whose payload is not what its type says is damage of the log', () => {
    const payload = fc.constantFrom(
      null,
      1,
      'text',
      [],
      {},
      { patch: 1 },
      { document: 1 },
      { patch: [null] },
    )
    fc.assert(
      fc.property(anyActions(12), fc.nat(), payload, (actions, index, data) => {
        const { events } = historyOf(actions)
        const at = index % events.length
        const event = { ...events[at], data } as unknown as SiteEvent
        try {
          evolve(fold(null, events.slice(0, at)), event)
        } catch (thrown) {
          assert.ok(isRm3Error(thrown, 'LOG_DAMAGED'), String(thrown))
        }
      }),
      RUNS,
    )
  })

  test('every revision is at most 32 events past a keyframe or the beginning', () => {
    fc.assert(
      fc.property(anyActions(90), actions => {
        let keyframe = 0
        for (const state of historyOf(actions).states) {
          if (isKeyframe(state)) keyframe = state.revision
          assert.ok(state.revision - keyframe <= KEYFRAME_EVENTS)
        }
      }),
      RUNS,
    )
  })

  test('every content revision says what its author wrote, and events have its hash', () => {
    fc.assert(
      fc.property(anyActions(60), actions => {
        const history = historyOf(actions)
        for (const [revision, document] of history.documents) {
          const { tip, tipRevision } = history.states[revision - 1] as Entity
          assert.is(tipRevision, revision)
          assert.equal(documentOf(tip), document)
        }
        for (const event of history.events) checkHash(history, event)
      }),
      RUNS,
    )
  })

  test('what is live is the revision that went live last, by its number and id', () => {
    fc.assert(
      fc.property(anyActions(60), actions => {
        const { states, documents } = historyOf(actions)
        for (const { live } of states) {
          if (live === null) continue
          assert.equal(documentOf(live.document), documents.get(live.revision))
          assert.match(live.revisionId, new RegExp(`-0*${live.revision}$`))
        }
      }),
      RUNS,
    )
  })

  test('a page is live exactly when it was published and not deleted, and its tags are those readers see', () => {
    fc.assert(
      fc.property(anyActions(60), actions => {
        for (const { state, live, since, sinceId, tags } of historyOf(actions).states) {
          if (state !== 'deleted') assert.is(state, live === null ? 'draft' : 'live')
          assert.is(since === 0, live === null)
          assert.is(sinceId === null, live === null)
          if (state !== 'live') assert.equal(tags, {})
        }
      }),
      RUNS,
    )
  })

  test('refuses an event that does not follow', () => {
    const { events, states } = historyOf([
      { type: 'create', draft: false, text: { seed: 1, lines: 2, tags: [], proto: 'base' } },
    ])
    const [created] = events as [SiteEvent]
    for (const [before, event] of [
      [null, { ...created, revision: 2 }],
      [states[0], created],
      [states[0], { ...created, revision: 2 }],
      [states[0], { ...created, revision: 2, type: 'RolePermitted' }],
      [null, { ...created, type: 'PageDeleted', data: {} }],
    ] as [State | null, SiteEvent][]) {
      assert.throws(() => evolve(before, event), /cannot be folded/)
    }
  })
})

function fold(state: State | null, events: readonly SiteEvent[]): State | null {
  return events.reduce<State | null>(evolve, state)
}

function checkHash({ documents }: History, event: SiteEvent): void {
  if (event.type === 'PagePublished') {
    assert.is(
      'hash' in event.data && event.data.hash,
      hashDocument(documents.get(event.data.revision) ?? {}),
    )
  }
  if (event.type === 'PageRevised' && 'hash' in event.data) {
    assert.is(event.data.hash, hashDocument(documents.get(event.revision) ?? {}))
  }
}
