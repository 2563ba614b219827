import type { Bulk } from '../pg/bulk.ts'
import type { RecordedEvent } from './event.ts'

/** An event as a fold needs it: without what only people look at. */
export type CopiedEvent = Omit<RecordedEvent, 'recordedAt' | 'meta'>

/** Which events: those of some streams up to a position. */
export interface CopyRange {
  /** Inclusive. */
  readonly from: string
  /** Exclusive; null is the end. */
  readonly until: string | null
  /** Last position that counts. */
  readonly position: number
}

/** In the order in which `eventOf` takes them. */
export const COPIED_COLUMNS =
  'position, event_id, stream, revision, version, type, actor, at, note, data'
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Events of all streams in a range, stream by stream and oldest first, through COPY: several times faster than rows of a statement,
 * and never more than a buffer of them is held.
 *
 * @returns batches of any size, each to be gone through once
 */
export function copyStreams(bulk: Bulk, range: CopyRange): AsyncIterable<Iterable<CopiedEvent>> {
  const until = range.until === null ? '' : `and stream < ${literal(range.until)}`
  const where = `stream >= ${literal(range.from)} ${until} and position <= ${Number(range.position)}`
  return parsed(bulk.copyOut(copyQuery(where)))
}

/** As `copyStreams`, of the streams that are named. */
export function copySomeStreams(
  bulk: Bulk,
  streams: readonly string[],
  position: number,
): AsyncIterable<Iterable<CopiedEvent>> {
  const list = `array[${streams.map(literal).join(', ')}]::uuid[]`
  const where = `stream = any(${list}) and position <= ${Number(position)}`
  return parsed(bulk.copyOut(copyQuery(where)))
}

/** What is copied of the log: all of it without `where`, in no order; else stream by stream. */
export function copyQuery(where?: string): string {
  const all = `select ${COPIED_COLUMNS} from events`
  return where === undefined ? all : `${all} where ${where} order by stream, revision`
}

/** A UUID as it stands in a query: COPY takes no parameters. */
export function literal(uuid: string): string {
  if (!UUID.test(uuid)) throw new Error(`not a uuid: ${uuid}`)
  return `'${uuid}'`
}

/** Made when they are asked for: what lives no longer than its own fold costs the garbage collector little. */
async function* parsed(chunks: AsyncIterable<string>): AsyncIterable<Iterable<CopiedEvent>> {
  for await (const lines of wholeLines(chunks)) yield eventsOf(lines)
}

function* eventsOf(lines: readonly string[]): Iterable<CopiedEvent> {
  for (const line of lines) yield eventOf(line.split('\t'))
}

/** What each line of a COPY in text format stands for, in batches. */
export async function* parseLines<Item>(
  chunks: AsyncIterable<string>,
  itemOf: (fields: readonly string[]) => Item,
): AsyncIterable<Item[]> {
  for await (const lines of wholeLines(chunks)) yield lines.map(line => itemOf(line.split('\t')))
}

/** A line may be cut anywhere. */
async function* wholeLines(chunks: AsyncIterable<string>): AsyncIterable<string[]> {
  let rest = ''
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf('\n') + 1
    if (end === 0) {
      rest += chunk
      continue
    }
    const lines = (rest + chunk.slice(0, end - 1)).split('\n')
    rest = chunk.slice(end)
    yield lines
  }
}

/** An event of the fields of a line in COPY's text format (PostgreSQL manual, COPY, "Text Format"). */
export function eventOf(fields: readonly string[]): CopiedEvent {
  const field = (index: number) => fields[index] as string
  return {
    position: Number(field(0)),
    eventId: field(1),
    stream: field(2),
    revision: Number(field(3)),
    version: Number(field(4)),
    type: field(5),
    actor: field(6),
    at: instantOf(field(7)),
    note: textOf(field(8)),
    data: textOf(field(9)),
  }
}

/** `2026-11-22 18:30:00.5+00`, the session's time zone being UTC. */
export function instantOf(text: string): string {
  const fraction = text.slice(20, -3)
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction.padEnd(3, '0')}Z`
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** A text's field. null for `\\N`. */
export function textOf(field: string): string | null {
  if (!field.includes('\\')) return field
  if (field === '\\N') return null
  const parts = field.split('\\\\') // in JSON there are no other escapes, as we write it
  if (parts.every(part => !part.includes('\\'))) return parts.join('\\')
  return field.replace(/\\(.)/g, (_, sign: string) => ESCAPES[sign] ?? sign)
}
