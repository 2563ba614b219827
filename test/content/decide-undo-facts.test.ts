import fc from 'fast-check'
import { Decided } from '../../src/content/decide-undo-facts.ts'
import type { SiteEvent } from '../../src/content/events.ts'
import { type Fact, factIn, factsOf, nameOf } from '../../src/content/facts.ts'
import { assert, suite } from '../harness.ts'
import { anyActions, historyOf } from './any-history.ts'

suite('undoing facts', test => {
  test('gives back what was so before those who decided last, and leaves what others decided after them', () => {
    fc.assert(
      fc.property(anyActions(25), fc.infiniteStream(fc.boolean()), (actions, picks) => {
        const { events, states } = historyOf(actions)
        const undone = new Set(
          events.map(({ revision }) => revision).filter(() => picks.next().value === true),
        )
        const first = Math.min(...undone, events.length + 1)
        const decided = new Decided(states[first - 2] ?? null)
        for (const event of events.slice(first - 1)) decided.add(event, undone.has(event.revision))

        const found = decided.toUndo(states.at(-1) ?? null)

        const values = found.map(fact => [nameOf(fact), fact.value])
        assert.equal(Object.fromEntries(values), expected(events, states, undone))
      }),
      { numRuns: 500 },
    )
  })

  test('takes back plans that went with a page, and none of those who planned again', () => {
    const planned = { type: 'schedule', pick: 0, day: 1 } as const
    const text = { seed: 1, lines: 1, tags: [], proto: 'base' }
    const { events, states } = historyOf([
      { type: 'create', text, draft: false },
      { type: 'revise', text: { ...text, seed: 2 }, draft: true, minor: false, pick: 0 },
      planned,
      { type: 'delete' },
    ])
    const decided = new Decided(states[2] ?? null)
    decided.add(events[3] as SiteEvent, true)

    assert.equal(
      decided.toUndo(states[3] ?? null).map(({ kind, value }) => [kind, value]),
      [['schedule', { revision: 1, at: '2031-01-02T00:00:00.000Z' }]],
    )
  })
})

/** The same, told of each fact by the end of its own history: the run of undone events that nothing follows. */
function expected(
  events: readonly SiteEvent[],
  states: readonly Parameters<typeof factsOf>[0][],
  undone: ReadonlySet<number>,
): Record<string, unknown> {
  const turns = new Map<string, { isUndone: boolean; before: Fact['value'] }[]>()
  for (const [index, event] of events.entries()) {
    const before = new Map(factsOf(states[index - 1] ?? null).map(fact => [nameOf(fact), fact]))
    for (const name of touched(event, [...before.values()])) {
      const turn = { isUndone: undone.has(event.revision), before: before.get(name)?.value ?? null }
      turns.set(name, [...(turns.get(name) ?? []), turn])
    }
  }
  const now = new Map(factsOf(states.at(-1) ?? null).map(fact => [nameOf(fact), fact.value]))
  const wanted = [...turns].flatMap(([name, all]) => {
    const after = all.findLastIndex(({ isUndone }) => !isUndone) + 1
    const before = all[after]?.before
    if (before === undefined) return []
    return JSON.stringify(now.get(name) ?? null) === JSON.stringify(before) ? [] : [[name, before]]
  })
  return Object.fromEntries(wanted)
}

function touched(event: SiteEvent, known: readonly Fact[]): string[] {
  const fact = factIn(event)
  if (fact !== null) return [nameOf(fact)]
  if (event.type !== 'PageDeleted') return []
  return known.filter(({ kind }) => kind === 'schedule').map(nameOf)
}
