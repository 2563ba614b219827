import { Rm3Error } from '../errors.ts'
import type { Bulk } from '../pg/bulk.ts'
import { parseRawRows, RAW_COLUMNS, type RawEvent } from './raw-rows.ts'

export type { RawEvent } from './raw-rows.ts'

/** A place in a log, and what the log is up to there: two logs with the same one are the same that far. */
export interface LogPlace {
  /** 0 is before the first event. */
  readonly position: number
  /** Chain value at that position, hexadecimal. */
  readonly chain: string
}

/** Before the first event. */
export const NO_PLACE: LogPlace = { position: 0, chain: '0'.repeat(64) }

/** Positions that one statement reads: no snapshot is held for longer. */
const PART_EVENTS = 5_000

/**
 * The log as it is kept, in order of positions, through COPY. It is read in parts of some thousand positions, each in a statement of its
 * own: rows never change but by being erased, and none comes between two others, so no transaction has to last while all is read.
 *
 * @param range `after` exclusive, `until` inclusive: a position that the log has
 * @returns batches of any size; not more than a part of them is held
 * @throws LOG_DAMAGED when a position is missing, UNAVAILABLE
 */
export async function* readRawLog(
  bulk: Bulk,
  { after, until }: { after: number; until: number },
): AsyncIterable<RawEvent[]> {
  let position = after
  while (position < until) {
    const end = Math.min(position + PART_EVENTS, until)
    const query = `select ${RAW_COLUMNS} from log where position > ${Number(position)} and position <= ${Number(end)} order by position`
    for await (const batch of parseRawRows(bulk.copyOutBinary(query))) {
      for (const event of batch) if (event.position !== ++position) throw missing(position)
      yield batch
    }
    if (position !== end) throw missing(position + 1)
  }
}

function missing(position: number): Rm3Error {
  return new Rm3Error('LOG_DAMAGED', `the log has no event at position ${position}`, { position })
}
