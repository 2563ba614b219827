import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { type JsonLimits, type JsonObject, parseJson } from '../../codec/json.ts'
import { isRm3Error } from '../../errors.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { HISTORY_BEGINS, HISTORY_ENDS } from './format.ts'
import { parseItem } from './item.ts'
import { FileFault } from './rules.ts'
import { openFile, readLines, readPieces, withFile } from './source-files.ts'

/** A document may be 72 deep when it was imported; in a record it stands one level down, in a payload two. */
export const BACKUP_JSON_LIMITS: JsonLimits = { depthMax: 80, itemsMax: 20_000_000 }

/** An event and the line it stands in, from 1. */
export interface PlacedEvent {
  readonly event: ProvableEvent
  readonly line: number
}

/** The hash of a file's bytes, in digits. @throws FileFault file-size when it has not as many as it should */
export function hashOfFile(dir: string, name: string, sizeBytes: number): string {
  return withFile(dir, name, file => {
    if (file.sizeBytes !== sizeBytes) {
      throw new FileFault('file-size', `it has ${file.sizeBytes} bytes, not ${sizeBytes}`)
    }
    const sum = createHash('sha256')
    for (const piece of readPieces(file)) sum.update(piece)
    return sum.digest('hex')
  })
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
  readonly #record: string[] = []
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
    return `${this.#record.join('\n').replace(/,$/, '')}\n}`
  }

  #takeRecord(line: string): void {
    if (line === HISTORY_BEGINS) this.#part = 'history'
    else this.#record.push(line)
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

/** All of a file without a history. */
export function readText(dir: string, name: string): string {
  const file = openFile(dir, name)
  try {
    return [...readLines(file)].flat().join('\n')
  } finally {
    closeSync(file.fd)
  }
}
