import type { Json } from '../codec/json.ts'
import { sameJson } from '../codec/json-compare.ts'
import type { SiteEvent } from './events.ts'
import { type Fact, factIn, factsOf, nameOf } from './facts.ts'
import type { State } from './state.ts'

/**
 * What some events of a stream decided, and what was so before them. Whoever decides last counts: what others decided after them is theirs
 * and stays, whichever way they decided.
 */
export class Decided {
  /** What is so where the fold has come to. */
  readonly #now: Map<string, Fact>
  /** What was so before the events, of all that nobody else decided after them. */
  readonly #before = new Map<string, Fact>()

  /** @param before the stream before the first event that is added */
  constructor(before: State | null) {
    this.#now = new Map(factsOf(before).map(fact => [nameOf(fact), fact]))
  }

  /** Adds the next event of the stream. @param isUndone whether it is one of those */
  add(event: SiteEvent, isUndone: boolean): void {
    for (const fact of this.#factsIn(event)) {
      const name = nameOf(fact)
      const known = this.#now.get(name) ?? { ...fact, value: null }
      if (!isUndone) this.#before.delete(name)
      else if (!this.#before.has(name)) this.#before.set(name, known)
      this.#now.set(name, fact)
    }
  }

  /** What has to become so, in the order in which it was first decided; [] when nothing has. @param now the stream after all of its events */
  toUndo(now: State | null): Fact[] {
    const values = new Map(factsOf(now).map(fact => [nameOf(fact), fact.value]))
    return [...this.#before].flatMap(([name, fact]) =>
      sameJson(values.get(name) ?? null, fact.value as Json) ? [] : [fact],
    )
  }

  /** With a page all of its plans go. */
  #factsIn(event: SiteEvent): Fact[] {
    const fact = factIn(event)
    if (fact !== null) return [fact]
    if (event.type !== 'PageDeleted') return []
    const planned = [...this.#now.values()].filter(
      ({ kind, value }) => kind === 'schedule' && value !== null,
    )
    return planned.map(plan => ({ ...plan, value: null }))
  }
}

/** Whether two states of a stream differ in what is so. */
export function differsInFacts(before: State | null, after: State | null): boolean {
  const listed = (state: State | null) => JSON.stringify(factsOf(state))
  return listed(before) !== listed(after)
}
