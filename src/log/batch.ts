import { BinaryWriter } from '../pg/binary.ts'
import { openArray, type RowType, type RowValues, writeRow } from '../pg/row-types.ts'
import type { AppendTypes, RowsMember } from './append-types.ts'
import { checkEntries } from './check-entry.ts'
import { bodyHash, type LogEntry, newSalt } from './event.ts'

/** A row that an inline projection writes in the append's transaction. */
export interface InlineRow {
  /** Who writes it, a member of the type `inline_rows`: `put_<table>`, `close_<table>` or `drop_<table>`. */
  readonly writer: string
  /**
   * Its columns. Positions are not known before the lock is held: in a column called `position` or `…_position`, `-n` means the n-th event
   * of the append.
   */
  readonly row: RowValues
}

/** Events that stand or fall together, and the rows that follow from them. */
export interface AppendRequest {
  /** At least one; the revisions of each stream are consecutive. */
  readonly entries: readonly LogEntry[]
  /** The rows of inline projections. */
  readonly rows: readonly InlineRow[]
  /** Which projections in which versions made the rows; the same for all appends of a process, as in the database, or none is written. */
  readonly versions: string
  /** Paths that get or lose their page by these events; none where a page stays where it is. */
  readonly paths: Iterable<string>
  /** Whether these events change who may do what. */
  readonly rights: boolean
  /** The rights position (`Head.rightsPosition`) at which the writer was found to be allowed, when it must be so still; null: it need not. */
  readonly rightsAt?: number | null
}

/** A request with everything done that can be done before its turn comes. */
export interface Prepared {
  readonly request: AppendRequest
  /** Streams and paths of which it wants to be the only one in a batch. */
  readonly holds: ReadonlySet<string>
  readonly salts: readonly Buffer[]
  readonly hashes: readonly Buffer[]
  readonly sizeBytes: number
}

/** About what an event takes beside its text. */
const HEADER_BYTES = 200

/** Checks and hashes the events of a request. @throws what `checkEntries` throws */
export function prepare(request: AppendRequest): Prepared {
  const { entries } = request
  checkEntries(entries)
  const salts = entries.map(newSalt)
  return {
    request,
    holds: new Set([...entries.map(entry => entry.stream), ...request.paths]),
    salts,
    hashes: entries.map(({ note, meta, data }, index) =>
      bodyHash(salts[index] as Buffer, note, meta, data),
    ),
    sizeBytes: entries.reduce((sum, { data }) => sum + HEADER_BYTES + data.length, 0),
  }
}

/** The parameters of one call of `append` (schema/functions/append.sql); they are valid until the next call of `encode`. */
export interface BatchCall {
  /** `new_event[]` in binary. */
  readonly events: Buffer
  readonly rights: boolean
  /** `inline_rows` in binary, or null when there are none. */
  readonly rows: Buffer | null
  readonly rightsAt: number | null
}

/** Puts prepared requests into calls of `append`, one at a time, in a buffer that it uses again. */
export class BatchEncoder {
  readonly #writer = new BinaryWriter()

  encode(batch: readonly Prepared[], types: AppendTypes): BatchCall {
    const writer = this.#writer
    writer.reset()
    writeEvents(writer, batch, types.event)
    const events = writer.end
    const hasRows = batch.some(({ request }) => request.rows.length > 0)
    if (hasRows) writeRows(writer, batch, types)
    return {
      // Without the length of the whole value: node-postgres puts it there.
      events: writer.slice(LENGTH_BYTES, events),
      rights: batch.some(({ request }) => request.rights),
      rows: hasRows ? writer.slice(events + LENGTH_BYTES, writer.end) : null,
      // those that rest on rights rest on the same: see AppendQueue.take
      rightsAt: batch.find(({ request }) => request.rightsAt != null)?.request.rightsAt ?? null,
    }
  }
}

const LENGTH_BYTES = 4
const MEMBERS = 14
const [UUID, INT2, INT4, TEXT, JSON_TEXT, BYTEA, INSTANT] = [2950, 21, 23, 25, 114, 17, 1184]

function writeEvents(writer: BinaryWriter, batch: readonly Prepared[], type: number): void {
  const count = batch.reduce((sum, { request }) => sum + request.entries.length, 0)
  const opened = openArray(writer, type, count)
  batch.forEach(({ request, salts, hashes }, append) => {
    request.entries.forEach((entry, index) => {
      writeEvent(writer, entry, append, [salts[index] as Buffer, hashes[index] as Buffer])
    })
  })
  writer.close(opened)
}

/** In the order of `new_event`'s members. */
function writeEvent(
  writer: BinaryWriter,
  entry: LogEntry,
  append: number,
  [salt, hash]: [Buffer, Buffer],
): void {
  const opened = writer.open()
  writer.raw(MEMBERS)
  writer.raw(INT4)
  writer.int4(append)
  writer.raw(UUID)
  writer.uuid(entry.eventId)
  writer.raw(UUID)
  writer.uuid(entry.stream)
  writer.raw(INT4)
  writer.int4(entry.revision)
  writer.raw(TEXT)
  writer.text(entry.type)
  writer.raw(INT2)
  writer.int2(entry.version)
  writer.raw(TEXT)
  writer.text(entry.actor)
  writer.raw(INSTANT)
  writer.instant(entry.at)
  writer.raw(INSTANT)
  if (entry.recordedAt === undefined) writer.null()
  else writer.instant(entry.recordedAt)
  writer.raw(TEXT)
  if (entry.note === null) writer.null()
  else writer.text(entry.note)
  writer.raw(JSON_TEXT)
  writer.text(entry.meta)
  writer.raw(JSON_TEXT)
  writer.text(entry.data)
  writer.raw(BYTEA)
  writer.bytea(salt)
  writer.raw(BYTEA)
  writer.bytea(hash)
  writer.close(opened)
}

/** The rows of a batch for one writer, each with how many events of other appends stand before its append's. */
interface Gathered {
  readonly rows: RowValues[]
  readonly offsets: number[]
}

function writeRows(writer: BinaryWriter, batch: readonly Prepared[], types: AppendTypes): void {
  const byWriter = gathered(batch)
  const opened = writer.open()
  writer.raw(types.rows.length)
  for (const member of types.rows) {
    writer.raw(member.oid)
    const rows = byWriter.get(member.name)
    if (member.name === 'versions') writer.text(batch[0]?.request.versions ?? '')
    else if (rows === undefined) writer.null()
    else writeMember(writer, member, rows)
    byWriter.delete(member.name)
  }
  const [unknown] = byWriter.keys()
  if (unknown !== undefined) throw new Error(`${unknown} is not a writer of an inline projection`)
  writer.close(opened)
}

function gathered(batch: readonly Prepared[]): Map<string, Gathered> {
  const byWriter = new Map<string, Gathered>()
  let offset = 0
  for (const { request } of batch) {
    for (const { writer, row } of request.rows) {
      let known = byWriter.get(writer)
      if (known === undefined) {
        known = { rows: [], offsets: [] }
        byWriter.set(writer, known)
      }
      known.rows.push(row)
      known.offsets.push(offset)
    }
    offset += request.entries.length
  }
  return byWriter
}

function writeMember(writer: BinaryWriter, { row: type }: RowsMember, rows: Gathered): void {
  if (type === null) writer.text(JSON.stringify(rows.rows))
  else writeArray(writer, type, rows)
}

function writeArray(writer: BinaryWriter, type: RowType, { rows, offsets }: Gathered): void {
  const opened = openArray(writer, type.oid, rows.length)
  rows.forEach((row, index) => {
    writeRow(writer, type, row, offsets[index])
  })
  writer.close(opened)
}
