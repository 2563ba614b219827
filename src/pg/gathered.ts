import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { Db } from './db.ts'

/** What is asked for in one turn of the event loop. */
interface Turn<Value> {
  /** Which of the values each key has. */
  readonly places: Map<string, number>
  readonly values: Promise<Value[]>
}

/**
 * A question that is asked for one key and answered, by one statement, to all who ask it of the same handle in one turn of the event
 * loop. Who asks alone is not kept waiting; under load many requests come at a turn, and a statement for a dozen keys costs little
 * more than one for one. An answer is never older than its question.
 *
 * @param keysMax most keys in one statement
 * @param ask the values of one or more keys, none of which is there twice, in their order; when it rejects, so do all who wait for it
 */
export function gathered<Value>(
  keysMax: number,
  ask: (db: Db, keys: string[]) => Promise<Value[]>,
): (db: Db, key: string) => Promise<Value> {
  const turns = new WeakMap<Db, Turn<Value>>()

  function begin(db: Db): Turn<Value> {
    const places = new Map<string, number>()
    const values = endOfTurn().then(() => {
      if (turns.get(db) === turn) turns.delete(db)
      return ask(db, [...places.keys()])
    })
    const turn = { places, values }
    turns.set(db, turn)
    return turn
  }

  return async (db, key) => {
    let turn = turns.get(db) ?? begin(db)
    if (turn.places.size >= keysMax && !turn.places.has(key)) turn = begin(db)
    const place = turn.places.get(key) ?? turn.places.size
    turn.places.set(key, place)
    const values = await turn.values
    return values[place] as Value
  }
}
