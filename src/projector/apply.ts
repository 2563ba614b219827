import { setImmediate as turn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import { roughBytes } from '../content/keyframe.ts'
import type { State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import type { RecordedEvent } from '../log/event.ts'
import type { Db } from '../pg/db.ts'
import { changeRows, dropStreams } from './change-rows.ts'
import {
  type EntityProjection,
  isPerEntity,
  nameTables,
  type OrderedProjection,
  type Projection,
  type RowChange,
} from './define.ts'
import { foldAgain, isErasure } from './fold-again.ts'
import { RowSet } from './inline.ts'
import { readStates } from './states-before.ts'
import { loadRowKeys } from './tables.ts'
import { keysInStream, loadTargets } from './target.ts'

/** A part of the log, ready to be written. */
export interface Ready {
  /** Writes its rows; called inside the transaction that moves the checkpoint. */
  write(db: Db): Promise<void>
  /** Called once that is committed. */
  committed(): void
}

/** Makes rows of the next events of the log, in order. */
export interface Applier {
  /**
   * @param skipped positions of events that are to leave no rows
   * @throws what `step` throws, LOG_DAMAGED, DATABASE_NEWER
   */
  prepare(events: readonly RecordedEvent[], skipped: ReadonlySet<number>): Promise<Ready>
}

/** @param db sees the projection's tables, which are there */
export async function openApplier(db: Db, projection: Projection): Promise<Applier> {
  return isPerEntity(projection) ? entityApplier(db, projection) : orderedApplier(projection)
}

const STATES_MAX_BYTES = 16 * 1024 * 1024
/** How long events are folded before others have their turn. */
const SLICE_MS = 10

async function entityApplier(db: Db, projection: EntityProjection): Promise<Applier> {
  const keyed = await loadRowKeys(db, [projection])
  const targets = await loadTargets(db, [projection], '')
  const known = new LRUCache<string, State>({
    maxSize: STATES_MAX_BYTES,
    sizeCalculation: roughBytes,
  })
  return {
    prepare: async (recorded, skipped) => {
      const rows = new RowSet(keyed)
      const erased = new Set(recorded.filter(isErasure).map(({ stream }) => stream))
      const states = await statesBefore(db, recorded, known)
      let until = performance.now() + SLICE_MS
      for (const row of recorded) {
        if (erased.has(row.stream)) continue
        const event = upcast(row)
        const before = states.get(event.stream) ?? null
        const after = evolve(before, event)
        if (!skipped.has(event.position)) rows.add({ before, event, after })
        states.set(event.stream, after)
        if (performance.now() < until) continue
        await turn()
        until = performance.now() + SLICE_MS
      }
      const again: RowChange[] = []
      for (const stream of erased) {
        const whole = { stream, until: recorded.at(-1)?.position ?? 0, skipped }
        const folded = await foldAgain(db, { projection, keys: keysInStream(targets) }, whole)
        again.push(...folded.rows)
        if (folded.state !== null) states.set(stream, folded.state)
      }
      return {
        write: async inside => {
          await dropStreams(inside, targets, [...erased])
          await changeRows(inside, targets, [...rows.changes(), ...again])
        },
        committed: () => {
          for (const [stream, state] of states) known.set(stream, state)
        },
      }
    },
  }
}

/** The states that streams have before their first event of a batch. */
async function statesBefore(
  db: Db,
  events: readonly RecordedEvent[],
  known: LRUCache<string, State>,
): Promise<Map<string, State>> {
  const states = new Map<string, State>()
  const wanted = new Map<string, number>()
  const seen = new Set<string>()
  for (const { stream, revision } of events) {
    if (seen.has(stream)) continue
    seen.add(stream)
    if (revision === 1) continue
    const state = known.get(stream)
    if (state?.revision === revision - 1) states.set(stream, state)
    else wanted.set(stream, revision - 1)
  }
  for (const [stream, state] of await readStates(db, wanted)) states.set(stream, state)
  return states
}

function orderedApplier(projection: OrderedProjection): Applier {
  return {
    prepare: async (recorded, skipped) => {
      const events: SiteEvent[] = recorded
        .filter(({ position }) => !skipped.has(position))
        .map(row => upcast(row))
      return {
        write: async db => {
          if (events.length > 0) await projection.apply(events, naming(projection, db))
        },
        committed: () => {},
      }
    },
  }
}

/** A `Db` that takes a projection's tables by their names in braces. */
export function naming(projection: Projection, db: Db, suffix = ''): Db {
  const named = (text: string) => nameTables(projection, text, suffix)
  return {
    rows: (text, values) => db.rows(named(text), values),
    script: text => db.script(named(text)),
    transaction: work => db.transaction(inside => work(naming(projection, inside, suffix))),
  }
}
