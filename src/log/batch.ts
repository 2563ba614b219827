import { checkEntries } from './check-entry.ts'
import { bodyHash, type LogEntry, newSalt } from './event.ts'

/** A row that an inline projection writes in the append's transaction. */
export interface InlineRow {
  /** The SQL function that writes it: `put_<table>`, `close_<table>` or `drop_<table>`. */
  readonly writer: string
  /** The row as a JSON object. */
  readonly json: string
}

/** Events that stand or fall together, and the rows that follow from them. */
export interface AppendRequest {
  /** At least one; the revisions of each stream are consecutive. */
  readonly entries: readonly LogEntry[]
  /**
   * The rows of inline projections. Positions are not known before the lock is held, so `-n` in a row means the n-th event of
   * the batch: `offset` is how many events of other appends stand before this one's.
   */
  readonly rows: (offset: number) => readonly InlineRow[]
  /** Whether these events change who may do what. */
  readonly rights: boolean
}

/** A request with everything done that can be done before its turn comes. */
export interface Prepared {
  readonly request: AppendRequest
  readonly streams: ReadonlySet<string>
  readonly encoded: readonly string[]
  readonly sizeBytes: number
}

/** Checks, encodes and hashes the events of a request. @throws what `checkEntries` throws */
export function prepare(request: AppendRequest): Prepared {
  checkEntries(request.entries)
  const encoded = request.entries.map(encodeEntry)
  return {
    request,
    streams: new Set(request.entries.map(entry => entry.stream)),
    encoded,
    sizeBytes: encoded.reduce((sum, text) => sum + text.length, 0),
  }
}

/** The parameters of one call of `append` (schema/functions/append.sql) for some requests, in their order. */
export interface BatchCall {
  readonly events: string
  readonly rights: boolean
  readonly writers: readonly string[]
  readonly rows: readonly string[]
}

/** Puts prepared requests into one call. In the order of the alphabet closes and drops go before puts, so that a row may
 * go and another take its place, and verifications come last. */
export function encodeBatch(batch: readonly Prepared[]): BatchCall {
  const events: string[] = []
  const byWriter = new Map<string, string[]>()
  let rights = false
  batch.forEach(({ request, encoded }, index) => {
    for (const { writer, json } of request.rows(events.length)) {
      const rows = byWriter.get(writer)
      if (rows) rows.push(json)
      else byWriter.set(writer, [json])
    }
    for (const text of encoded) events.push(`{"append":${index},${text}`)
    rights ||= request.rights
  })
  const writers = [...byWriter.keys()].sort()
  return {
    events: `[${events.join(',')}]`,
    rights,
    writers,
    rows: writers.map(writer => `[${byWriter.get(writer)?.join(',')}]`),
  }
}

/** A checked entry as the members of a JSON object, without the brace that opens it; `meta` and `data` are put in as they are. */
function encodeEntry(entry: LogEntry): string {
  const salt = newSalt()
  const hash = bodyHash(salt, entry.note, entry.meta, entry.data)
  const recordedAt = entry.recordedAt === undefined ? '' : `"recorded_at":"${entry.recordedAt}",`
  return `"event_id":"${entry.eventId}","stream":"${entry.stream}","revision":${entry.revision},"type":"${entry.type}","version":${entry.version},"actor":"${entry.actor}","at":"${entry.at}",${recordedAt}"note":${JSON.stringify(entry.note)},"meta":${entry.meta},"data":${entry.data},"salt":"\\\\x${salt.toString('hex')}","body_hash":"\\\\x${hash.toString('hex')}"}`
}
