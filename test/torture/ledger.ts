import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/** An event that a client asked for; its token names the append and is in the event's data. */
export interface Asked {
  readonly stream: string
  /** One more than the revision its writer expects. */
  readonly revision: number
  readonly eventId: string
}

/** What a client was told: `fail` = surely not written, `unknown` = it may have been, or may still be. */
export type Result = 'ok' | 'conflict' | 'fail' | 'unknown'

/** One try of an append. The same token may be tried again with the same events. Times: µs of the machine's monotonic clock. */
export interface Attempt {
  readonly token: string
  readonly events: readonly Asked[]
  readonly invoke: number
  /** Infinity when the client was killed before the answer. */
  readonly complete: number
  readonly result: Result
  /** of the first event, when ok */
  readonly position?: number
  /** when conflict */
  readonly stream?: string
  readonly actual?: number
  /** of the error, when fail */
  readonly code?: string
}

/** A read of a stream from a revision: event ids in order. `isFull`: more may have been there. */
export interface StreamRead {
  readonly stream: string
  readonly from: number
  readonly ids: readonly string[]
  readonly isFull: boolean
  readonly invoke: number
  readonly complete: number
}

/** A read of the log behind a position. */
export interface LogRead {
  readonly after: number
  readonly ids: readonly string[]
  readonly isFull: boolean
  readonly invoke: number
  readonly complete: number
}

/** What clients asked and were told, in no order. */
export interface Ledger {
  readonly attempts: Attempt[]
  readonly streamReads: StreamRead[]
  readonly logReads: LogRead[]
}

type Line =
  | { kind: 'invoke'; number: number; token: string; events: Asked[]; invoke: number }
  | ({ kind: 'complete'; number: number; complete: number } & Answer)
  | ({ kind: 'stream' } & StreamRead)
  | ({ kind: 'log' } & LogRead)

type Answer = Pick<Attempt, 'result' | 'position' | 'stream' | 'actual' | 'code'>

/** Now, in µs, comparable between the processes of one machine. */
export function clock(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

/** The pen of one client: each line is with the operating system before the client goes on, so it outlives a kill. */
export class LedgerWriter {
  readonly #file: number
  #attempts = 0

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  /** @returns writes down the answer */
  invoke(token: string, events: readonly Asked[]): (answer: Answer) => void {
    const number = this.#attempts++
    this.#write({ kind: 'invoke', number, token, events: [...events], invoke: clock() })
    return answer => this.#write({ kind: 'complete', number, complete: clock(), ...answer })
  }

  streamRead(read: StreamRead): void {
    this.#write({ kind: 'stream', ...read })
  }

  logRead(read: LogRead): void {
    this.#write({ kind: 'log', ...read })
  }

  close(): void {
    closeSync(this.#file)
  }

  #write(line: Line): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }
}

/** What the clients with these files wrote; an attempt without an answer is unknown. */
export function readLedgers(paths: readonly string[]): Ledger {
  const ledger: Ledger = { attempts: [], streamReads: [], logReads: [] }
  for (const path of paths) readLedger(path, ledger)
  return ledger
}

function readLedger(path: string, into: Ledger): void {
  const open = new Map<number, Attempt>()
  const lines = readFileSync(path, 'utf8').split('\n')
  lines.pop() // empty, or cut off by a kill
  for (const text of lines) {
    const line = JSON.parse(text) as Line
    switch (line.kind) {
      case 'invoke': {
        const { token, events, invoke } = line
        open.set(line.number, { token, events, invoke, complete: Infinity, result: 'unknown' })
        break
      }
      case 'complete': {
        const { kind, number, ...answer } = line
        const attempt = open.get(number)
        open.delete(number)
        if (attempt) into.attempts.push({ ...attempt, ...answer })
        break
      }
      case 'stream':
        into.streamReads.push(line)
        break
      case 'log':
        into.logReads.push(line)
        break
    }
  }
  into.attempts.push(...open.values())
}
