import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { Db } from './db.ts'

/** Statements of one question under way before what is asked next waits for one of them to end. */
const UNDER_WAY_MAX = 2
/** It waits for no longer: those may be slow for reasons of their own. */
const HELD_MS = 10

/** What is asked for in one statement. */
interface Batch<Value> {
  /** Which of the values each key has. */
  readonly places: Map<string, number>
  readonly values: Promise<Value[]>
  /** Lets it go, if it is held back. */
  go(): void
}

/** The batches of one handle. */
interface Asked<Value> {
  /** What is asked now goes with this one. */
  open: Batch<Value> | null
  underWay: number
}

/**
 * A question that is asked for one key and answered, by one statement, to all who ask it of the same handle in one turn of the event
 * loop, or while two such statements are under way and theirs is not full. Who asks alone is not kept waiting; under load many requests come
 * together, and a statement for a dozen keys costs little more than one for one. An answer is never older than its question.
 *
 * @param keysMax most keys in one statement
 * @param ask the values of one or more keys, none of which is there twice, in their order; when it rejects, so do all who wait for it
 */
export function gathered<Value>(
  keysMax: number,
  ask: (db: Db, keys: string[]) => Promise<Value[]>,
): (db: Db, key: string) => Promise<Value> {
  const handles = new WeakMap<Db, Asked<Value>>()

  function begin(db: Db, asked: Asked<Value>): Batch<Value> {
    const places = new Map<string, number>()
    let go = () => {}
    const gone = new Promise<void>(resolve => {
      go = resolve
    })
    const run = async () => {
      await endOfTurn()
      if (asked.underWay >= UNDER_WAY_MAX && places.size < keysMax) {
        const timer = setTimeout(go, HELD_MS)
        await gone
        clearTimeout(timer)
      }
      if (asked.open === batch) asked.open = null
      asked.underWay++
      try {
        return await ask(db, [...places.keys()])
      } finally {
        asked.underWay--
        asked.open?.go()
      }
    }
    const batch = { places, values: run(), go }
    asked.open = batch
    return batch
  }

  return async (db, key) => {
    let asked = handles.get(db)
    if (asked === undefined) {
      asked = { open: null, underWay: 0 }
      handles.set(db, asked)
    }
    let batch = asked.open ?? begin(db, asked)
    if (batch.places.size >= keysMax && !batch.places.has(key)) batch = begin(db, asked)
    const place = batch.places.get(key) ?? batch.places.size
    batch.places.set(key, place)
    if (batch.places.size >= keysMax) batch.go()
    const values = await batch.values
    return values[place] as Value
  }
}
