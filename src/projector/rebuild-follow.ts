import { LRUCache } from 'lru-cache'
import { evolve } from '../content/evolve.ts'
import { roughBytes } from '../content/keyframe.ts'
import type { State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { copySomeStreams } from '../log/copy.ts'
import type { RecordedEvent } from '../log/event.ts'
import { readLog } from '../log/read.ts'
import type { Bulk } from '../pg/bulk.ts'
import { type Db, one } from '../pg/db.ts'
import { naming } from './apply.ts'
import { changeRows, dropStreams } from './change-rows.ts'
import {
  type EntityProjection,
  isPerEntity,
  type OrderedProjection,
  type Projection,
} from './define.ts'
import { isErasure } from './fold-again.ts'
import { foldStreams } from './fold-streams.ts'
import { NEW } from './rebuild-plan.ts'
import { RowSink } from './row-sink.ts'
import { StreamRows } from './stream-rows.ts'
import { keysInStream, keysOf, type Targets } from './target.ts'

const STATES_MAX = 10_000
const STATES_MAX_BYTES = 64 * 1024 * 1024

/**
 * Carries tables that are being built on along the log. The first time that a stream comes all of it is folded and its rows are
 * replaced; from then on its state is remembered and an event costs what it changes. After an erasure it is as if it came the first time.
 */
export class Follower {
  readonly #writer: Bulk
  readonly #reader: Bulk
  readonly #targets: Targets
  readonly #perEntity: readonly EntityProjection[]
  readonly #ordered: readonly OrderedProjection[]
  readonly #states = new LRUCache<string, State>({
    max: STATES_MAX,
    maxSize: STATES_MAX_BYTES,
    sizeCalculation: state => 1 + roughBytes(state),
  })

  /** @param bulks two connections: rows are written while events are read */
  constructor(
    bulks: { writer: Bulk; reader: Bulk },
    projections: readonly Projection[],
    targets: Targets,
  ) {
    this.#writer = bulks.writer
    this.#reader = bulks.reader
    this.#targets = targets
    this.#perEntity = projections.filter(isPerEntity)
    this.#ordered = projections.filter(
      projection => !isPerEntity(projection),
    ) as OrderedProjection[]
  }

  /**
   * Applies the next events.
   *
   * @param db inside a transaction of the writer
   * @param from the position that the tables have
   * @param wholeEventsMax most events of streams that have to be folded from their beginning
   * @returns the position that they have then, at most `READ_MAX` further; null when nothing was done, for it would take too long
   */
  async advance(db: Db, from: number, wholeEventsMax = Infinity): Promise<number | null> {
    const events = await readLog(db, from)
    const until = events.at(-1)?.position
    if (until === undefined) return from
    const known = new Map<string, State>()
    const unknown = new Set<string>()
    for (const { stream } of events.filter(isErasure)) this.#states.delete(stream)
    for (const { stream } of events) {
      const state = this.#states.get(stream)
      if (state === undefined) unknown.add(stream)
      else known.set(stream, state)
    }
    if (wholeEventsMax !== Infinity && (await eventsOf(db, unknown)) > wholeEventsMax) return null
    await dropStreams(db, this.#targets, [...unknown])
    await this.#change(db, events, known)
    await this.#foldWhole(db, [...unknown], until)
    await this.apply(db, events)
    return until
  }

  /** Applies events to the tables of ordered projections only. */
  async apply(db: Db, events: readonly RecordedEvent[]): Promise<void> {
    for (const projection of this.#ordered) {
      await projection.apply(
        events.map(event => upcast(event)),
        naming(projection, db, NEW),
      )
    }
  }

  /** What is known of streams may be of a transaction that was rolled back. */
  forget(): void {
    this.#states.clear()
  }

  async #change(
    db: Db,
    events: readonly RecordedEvent[],
    known: Map<string, State>,
  ): Promise<void> {
    const rows = new StreamRows(keysOf(this.#targets))
    for (const recorded of events) {
      const before = known.get(recorded.stream)
      if (before === undefined) continue
      const event = upcast(recorded)
      const after = evolve(before, event)
      rows.add(this.#perEntity, { before, event, after })
      known.set(recorded.stream, after)
    }
    for (const [stream, state] of known) this.#states.set(stream, state)
    await changeRows(db, this.#targets, rows.changes())
  }

  async #foldWhole(db: Db, streams: readonly string[], until: number): Promise<void> {
    if (streams.length === 0) return
    const sink = new RowSink({ ...this.#writer, db }, this.#targets)
    const group = { projections: this.#perEntity, keys: keysInStream(this.#targets), until }
    await foldStreams(copySomeStreams(this.#reader, streams, until), [group], {
      add: rows => sink.add(rows),
      change: rows => sink.change(rows),
      ended: (stream, state) => this.#states.set(stream, state),
    })
    await sink.flush()
  }
}

const EVENTS = `select coalesce(sum(l.revision), 0)::bigint as events from unnest($1::uuid[]) as s(stream)
  cross join lateral (select revision from log where stream = s.stream order by revision desc limit 1) l`

async function eventsOf(db: Db, streams: ReadonlySet<string>): Promise<number> {
  const { events } = await one<{ events: number }>(db, EVENTS, [[...streams]])
  return events
}
