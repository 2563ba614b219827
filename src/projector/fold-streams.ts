import { evolve } from '../content/evolve.ts'
import type { State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { isRm3Error, type Rm3Error } from '../errors.ts'
import type { CopiedEvent } from '../log/copy.ts'
import type { EntityProjection } from './define.ts'
import type { TableKeys } from './inline.ts'
import { StreamRows } from './stream-rows.ts'

/** Projections that are to be folded up to the same position. */
export interface FoldGroup {
  readonly projections: readonly EntityProjection[]
  readonly keys: TableKeys
  /** The last position that counts. */
  readonly until: number
}

/** Told what a fold gives. */
export interface FoldSink {
  /** The rows of a stream, or the first of them. A promise where it has to wait. */
  add(rows: StreamRows): Promise<void> | undefined
  /** What is to be changed in rows that were given before, and more of them. */
  change(rows: StreamRows): Promise<void>
  /** Told the state in which a stream ends. */
  ended?(stream: string, state: State): void
  /** Told that a stream's events cannot be folded, and why; the rest of it is passed over. Without it the fold ends there. */
  damaged?(stream: string, thrown: Rm3Error): void
}

/** Events of one stream of which the rows are held. */
const HELD_EVENTS_MAX = 10_000

/**
 * Folds streams one after the other and hands out the rows that each has in the end. Holds the rows of one stream only, and of a very
 * long one a part.
 *
 * @param batches events stream by stream, oldest first
 * @param onEvents told how many events were folded more
 * @throws LOG_DAMAGED with `position` and `stream` when an event cannot be folded and the sink does not take it
 */
export async function foldStreams(
  batches: AsyncIterable<Iterable<CopiedEvent>>,
  groups: readonly FoldGroup[],
  sink: FoldSink,
  onEvents: (count: number) => void = () => {},
): Promise<void> {
  let stream: OneStream | null = null
  for await (const batch of batches) {
    let count = 0
    for (const event of batch) {
      count++
      if (stream === null || stream.id !== event.stream) {
        if (stream !== null) await stream.end()
        stream = new OneStream(event.stream, groups, sink)
      }
      stream.add(event)
      if (stream.held >= HELD_EVENTS_MAX) await stream.release()
    }
    onEvents(count)
  }
  if (stream !== null) await stream.end()
}

class OneStream {
  readonly id: string
  held = 0
  readonly #groups: readonly FoldGroup[]
  readonly #sink: FoldSink
  #rows: StreamRows[]
  #state: State | null = null
  #isContinued = false
  #isDamaged = false

  constructor(id: string, groups: readonly FoldGroup[], sink: FoldSink) {
    this.id = id
    this.#groups = groups
    this.#sink = sink
    this.#rows = groups.map(({ keys }) => new StreamRows(keys))
  }

  add(recorded: CopiedEvent): void {
    if (this.#isDamaged) return
    try {
      this.#fold(recorded)
    } catch (thrown) {
      if (!isRm3Error(thrown, 'LOG_DAMAGED') || this.#sink.damaged === undefined) throw thrown
      this.#isDamaged = true
      this.#sink.damaged(this.id, thrown)
    }
  }

  #fold(recorded: CopiedEvent): void {
    const before = this.#state
    const event = upcast(recorded)
    const after = evolve(before, event)
    const step = { before, event, after }
    for (let index = 0; index < this.#groups.length; index++) {
      const group = this.#groups[index] as FoldGroup
      if (event.position > group.until) continue
      const rows = this.#rows[index] as StreamRows
      rows.add(group.projections, step)
    }
    this.#state = after
    this.held++
  }

  async release(): Promise<void> {
    for (const rows of this.#rows) {
      const waits = this.#isContinued ? this.#sink.change(rows) : this.#sink.add(rows)
      if (waits !== undefined) await waits
    }
    this.#rows = this.#groups.map(({ keys }) => new StreamRows(keys))
    this.#isContinued = true
    this.held = 0
  }

  async end(): Promise<void> {
    if (this.#isDamaged) return
    await this.release()
    if (this.#state !== null) this.#sink.ended?.(this.id, this.#state)
  }
}
