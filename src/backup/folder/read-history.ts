import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { type JsonLimits, type JsonObject, parseJson } from '../../codec/json.ts'
import { valuesIn } from '../../codec/json-tokens.ts'
import { isRm3Error } from '../../errors.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { type FileEntry, HISTORY_BEGINS, HISTORY_ENDS } from './format.ts'
import { parseItem } from './item.ts'
import { FileFault } from './rules.ts'
import {
  LineBound,
  type OpenFile,
  openFile,
  readLines,
  readPieces,
  withFile,
} from './source-files.ts'

/**
 * A document may be 72 deep when it was imported; in a record it stands one level down, in a payload two. It has at most 250,000 values,
 * and a record may have two.
 */
export const BACKUP_JSON_LIMITS: JsonLimits = { depthMax: 80, itemsMax: 600_000 }
/** What stands in a file before its history, and all of one without. */
const RECORD_CHARS_MAX = 64 * 1024 * 1024
/** Commas, brackets and lines: some more than there are values. */
const RECORD_VALUES_MAX = 4 * BACKUP_JSON_LIMITS.itemsMax

/** An event and the line it stands in, from 1. */
export interface PlacedEvent {
  readonly event: ProvableEvent
  readonly line: number
}

/**
 * The hash of a file's bytes, in digits.
 *
 * @throws FileFault file-size when it has not as many as the catalog says; json when it should have lines and one has no bound
 */
export function hashOfFile(dir: string, { name, kind, sizeBytes }: FileEntry): string {
  return withFile(dir, name, file => {
    demandBytes(file, sizeBytes)
    const sum = createHash('sha256')
    const bound = kind === 'blob' ? null : new LineBound()
    for (const piece of readPieces(file)) {
      bound?.add(piece)
      sum.update(piece)
    }
    return sum.digest('hex')
  })
}

/** Looks whether a file is one and as long as the catalog says. @throws FileFault file-size, and as `openFile` */
export function demandSize(dir: string, { name, sizeBytes }: FileEntry): void {
  withFile(dir, name, file => demandBytes(file, sizeBytes))
}

function demandBytes(file: OpenFile, sizeBytes: number): void {
  if (file.sizeBytes === sizeBytes) return
  throw new FileFault('file-size', `it has ${file.sizeBytes} bytes, not ${sizeBytes}`)
}

/**
 * The events of a file with a history, some at a time, oldest first.
 *
 * @param stream whose they are
 * @returns the record before the history, as the text of a JSON object
 * @throws FileFault history-shape naming the line, json
 */
export function* readHistory(
  dir: string,
  name: string,
  stream: string,
): Generator<PlacedEvent[], string> {
  const file = openFile(dir, name)
  const reading = new Reading(stream)
  try {
    for (const lines of readLines(file)) {
      const events = reading.take(lines)
      if (events.length > 0) yield events
    }
  } finally {
    closeSync(file.fd)
  }
  return reading.end()
}

class Reading {
  readonly #stream: string
  readonly #record = new RecordLines()
  #part: 'record' | 'history' | 'end' | 'over' = 'record'
  #line = 0
  #isLast = false

  constructor(stream: string) {
    this.#stream = stream
  }

  take(lines: readonly string[]): PlacedEvent[] {
    const events: PlacedEvent[] = []
    for (const line of lines) {
      this.#line++
      if (this.#part === 'record') this.#takeRecord(line)
      else if (this.#part === 'history') this.#takeItem(line, events)
      else if (this.#part === 'end' && line === '}') this.#part = 'over'
      else throw this.#fault('is behind the end of the history')
    }
    return events
  }

  end(): string {
    if (this.#part !== 'over') throw this.#fault('is the last, but not the end of the history')
    return `${this.#record.text().replace(/,$/, '')}\n}`
  }

  #takeRecord(line: string): void {
    if (line === HISTORY_BEGINS) this.#part = 'history'
    else this.#record.add(line)
  }

  #takeItem(line: string, events: PlacedEvent[]): void {
    if (line === HISTORY_ENDS) {
      this.#part = 'end'
      return
    }
    if (this.#isLast) {
      if (line === '') return
      throw this.#fault('follows a line without a comma')
    }
    const isFollowed = line.endsWith(',')
    const event =
      line === '' ? null : parseItem(isFollowed ? line.slice(0, -1) : line, this.#stream)
    this.#isLast = !isFollowed
    if (event !== null) events.push({ event, line: this.#line })
    else if (line !== '') throw this.#fault('is not written as an event')
  }

  #fault(what: string): FileFault {
    const place = `line ${this.#line}`
    return new FileFault('history-shape', `${place} ${what}`, place)
  }
}

/** The lines of a record, of which there is a bound. */
class RecordLines {
  readonly #lines: string[] = []
  #chars = 0
  #values = 0

  /** @throws FileFault json */
  add(line: string): void {
    this.#chars += line.length + 1
    this.#values += valuesIn(line)
    if (this.#chars > RECORD_CHARS_MAX || this.#values > RECORD_VALUES_MAX) {
      throw new FileFault('json', 'its record is too long')
    }
    this.#lines.push(line)
  }

  text(): string {
    return this.#lines.join('\n')
  }
}

/** A JSON object, strictly. @throws FileFault json naming the place */
export function objectIn(text: string, place = ''): JsonObject {
  try {
    const value = parseJson(text, 'it', BACKUP_JSON_LIMITS)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (thrown) {
    if (!isRm3Error(thrown, 'JSON_INVALID')) throw thrown
    const { pointer = '' } = thrown.details
    throw new FileFault('json', thrown.message, `${place}${String(pointer)}`)
  }
  throw new FileFault('json', 'it is no JSON object', place)
}

/** All of a file without a history. @throws FileFault json when it is too long for a record */
export function readText(dir: string, name: string): string {
  const record = new RecordLines()
  for (const line of linesOf(dir, name)) record.add(line)
  return record.text()
}

/** The lines of a file, one by one. */
export function* linesOf(dir: string, name: string, lineBytesMax?: number): Iterable<string> {
  const file = openFile(dir, name)
  try {
    for (const lines of readLines(file, lineBytesMax)) yield* lines
  } finally {
    closeSync(file.fd)
  }
}
