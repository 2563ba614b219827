import type { Bulk } from '../pg/bulk.ts'
import {
  COPIED_COLUMNS,
  type CopiedEvent,
  type CopyRange,
  eventOf,
  instantOf,
  literal,
  parseLines,
  textOf,
} from './copy.ts'

/** An event with all it takes to prove it alone: hashes in hexadecimal, the chain value before it among them. */
export interface ProvableEvent extends CopiedEvent {
  readonly recordedAt: string
  /** JSON text; null once erased, as `note`, `data` and `salt` then are. */
  readonly meta: string | null
  /** 32 digits. */
  readonly salt: string | null
  /** 64 digits, as the others. */
  readonly bodyHash: string
  readonly previous: string
  readonly chain: string
}

const PREVIOUS = `(select p.chain from log p where p.position = l.position - 1)`
const START = `decode(repeat('00', 32), 'hex')`

/**
 * Events of all streams in a range, stream by stream and oldest first, with their hashes, through COPY. Never more than a buffer of them is
 * held.
 *
 * @returns batches of any size
 */
export function copyHistory(bulk: Bulk, range: CopyRange): AsyncIterable<ProvableEvent[]> {
  const until = range.until === null ? '' : `and stream < ${literal(range.until)}`
  const query = `select ${COPIED_COLUMNS}, recorded_at, meta, encode(salt, 'hex'), encode(body_hash, 'hex'),
      encode(coalesce(${PREVIOUS}, ${START}), 'hex'), encode(chain, 'hex')
    from log l where stream >= ${literal(range.from)} ${until} and position <= ${Number(range.position)}
    order by stream, revision`
  return parseLines(bulk.copyOut(query), provableOf)
}

const FIRST_MORE = 10

function provableOf(fields: readonly string[]): ProvableEvent {
  const field = (index: number) => fields[FIRST_MORE + index] as string
  return {
    ...eventOf(fields),
    recordedAt: instantOf(field(0)),
    meta: textOf(field(1)),
    salt: textOf(field(2)),
    bodyHash: field(3),
    previous: field(4),
    chain: field(5),
  }
}
