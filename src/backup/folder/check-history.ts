import { canonicalJson, type JsonObject } from '../../codec/json.ts'
import { evolve } from '../../content/evolve.ts'
import { asRead, type StandIns } from '../../content/stand-ins.ts'
import type { State } from '../../content/state.ts'
import { EVENT_VERSIONS, type Recorded, upcast } from '../../content/upcast.ts'
import { isRm3Error } from '../../errors.ts'
import { malformedField } from '../../log/check-entry.ts'
import { isSoundTip, payloadFault } from './check-payload.ts'
import { linkOf } from './item.ts'
import { objectIn, type PlacedEvent } from './read-history.ts'
import { FileFault } from './rules.ts'
import { blobOf, isErased, type Tally } from './tally.ts'

/** What a history has come to. */
export interface Folded {
  readonly state: State | null
  /** By revision, from 0. */
  readonly positions: readonly number[]
  readonly erased: number
}

/** Proves the events of one history, each alone and as what follows the one before. */
export class HistoryCheck {
  readonly #tally: Tally
  readonly #path: string
  readonly #positions: number[] = []
  #state: State | null = null
  #erased = 0
  readonly #findStandIns: () => StandIns
  #standIns: StandIns | null = null

  /**
   * @param of whose history it is: where the page ended, and what is told the blobs that it has
   * @param standIns asked for what stands in for emptied events when the first of them comes
   */
  constructor({ tally, path }: { tally: Tally; path: string }, standIns: () => StandIns) {
    this.#tally = tally
    this.#path = path
    this.#findStandIns = standIns
  }

  /** @throws FileFault naming the place and what is wrong with the event */
  add(event: PlacedEvent['event'], place: string): void {
    const field = malformedField(event)
    if (field !== null) {
      throw new FileFault('history-shape', `${place} has a ${field} that no log takes`, place)
    }
    if (event.revision !== this.#positions.length + 1) {
      const text = `${place} has revision ${event.revision} where ${this.#positions.length + 1} is due`
      throw new FileFault('history-order', text, place)
    }
    if (linkOf(event) !== event.chain) {
      throw new FileFault(
        'event-hash',
        `the event at position ${event.position} is not what was written`,
        place,
      )
    }
    this.#positions.push(event.position)
    if (isErased(event)) this.#erased++
    this.#fold(event, place)
  }

  end(): Folded {
    return { state: this.#state, positions: this.#positions, erased: this.#erased }
  }

  #read(event: PlacedEvent['event'], place: string): PlacedEvent['event'] {
    if (!isErased(event)) return event
    this.#standIns ??= this.#findStandIns()
    if (this.#standIns.has(event.revision)) return asRead(event, this.#standIns)
    throw new FileFault(
      'erasure-missing',
      `the event at position ${event.position} is empty, and no erasure says so`,
      place,
    )
  }

  #fold(event: PlacedEvent['event'], place: string): void {
    const read = this.#read(event, place)
    const { type, version, position, data, meta } = read
    const known = Object.hasOwn(EVENT_VERSIONS, type)
      ? EVENT_VERSIONS[type as keyof typeof EVENT_VERSIONS]
      : 0
    if (version > known) {
      const text = `the event at position ${position} is a ${type} of version ${version}`
      throw new FileFault('event-unknown', text, place)
    }
    if (meta !== null) objectIn(meta, place)
    const payload = data === null ? null : objectIn(data, place)
    const wrong = payload === null || version < known ? null : payloadFault(type, payload)
    if (wrong !== null) {
      const text = `${wrong} of the ${type} at position ${position} is not as it should be`
      throw new FileFault('event-shape', text, place)
    }
    const blob = blobOf(type, payload)
    if (blob !== null) this.#tally.addBlob(blob, this.#path)
    this.#state = folded(this.#state, read, place)
  }
}

function folded(before: State | null, event: Recorded, place: string): State {
  let after: State
  try {
    after = evolve(before, upcast(event))
  } catch (thrown) {
    if (!isRm3Error(thrown)) throw thrown
    throw new FileFault('event-unfoldable', thrown.message, place)
  }
  if (after.kind !== 'entity' || isSoundTip(after)) return after
  const text = `the document after position ${event.position} is none`
  throw new FileFault('event-unfoldable', text, place)
}

/** Compares what a file says of an entity with what its history leads to. @throws FileFault record-shape, record-differs */
export function compareRecord(text: string, computed: JsonObject): void {
  const told = objectIn(text)
  for (const [member, value] of Object.entries(computed)) {
    if (!Object.hasOwn(told, member)) {
      throw new FileFault('record-shape', `the record has no ${member}`, `/${member}`)
    }
    if (canonicalJson(told[member] ?? null) !== canonicalJson(value)) {
      throw new FileFault(
        'record-differs',
        `/${member} is not what the history leads to`,
        `/${member}`,
      )
    }
  }
}
