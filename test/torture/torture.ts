import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { verifyLog } from '../../src/log/verify.ts'
import { type Db, poolDb } from '../../src/pg/db.ts'
import { migrate } from '../../src/pg/migrate.ts'
import { openPool } from '../../src/pg/pool.ts'
import { check, type Recorded, type Violation } from './checker.ts'
import type { ClientOptions } from './client.ts'
import { type Attempt, type Ledger, readLedgers } from './ledger.ts'
import { type Bug, NAIVE_TABLE } from './planted.ts'
import { LossyProxy, targetOf, urlThrough } from './proxy.ts'
import { type Random, randomOf } from './random.ts'
import type { TortureServer } from './server.ts'
import { startInside, startProcess, type Worker } from './workload.ts'

export interface TortureOptions {
  readonly server: TortureServer
  readonly seed: number
  readonly seconds: number
  /** Client processes; 0 = two clients in this one, which is quicker and can lose no client */
  readonly processes: number
  /** Loops that write, and that only read, in each of them. */
  readonly writers: number
  readonly readers: number
  readonly streams: number
  /** How many of the streams get half of all operations. */
  readonly hot: number
  readonly bug: Bug | null
  /** How often the server is killed in all. */
  readonly serverKills: number
  /** The lesser faults, with their mean pause; null = none */
  readonly faults: { readonly kinds: 'all' | 'lost answers'; readonly everyMs: number } | null
  /** Lose the data that a crash of an honest server keeps: a negative control. */
  readonly asynchronousCommit?: boolean
  readonly log?: (line: string) => void
}

export interface TortureReport {
  readonly violations: readonly Violation[]
  /** Answered attempts and reads. */
  readonly operations: number
  readonly results: Record<Attempt['result'] | 'streamReads' | 'logReads', number>
  readonly codes: Record<string, number>
  /** Appends of which nobody was told the outcome: how many of them are in the log, and how many not. */
  readonly unknown: { written: number; notWritten: number }
  readonly events: number
  readonly faults: Record<string, number>
  readonly checkMs: number
}

const SILENT_MS = 300
const CLIENTS_INSIDE = 2

let runs = 0

/** Loads the log from several processes while things break, then holds what they were told against what is there. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const run = new Run(options)
  try {
    await run.load()
    return await run.report()
  } finally {
    await run.close()
  }
}

class Run {
  readonly #options: TortureOptions
  readonly #random: Random
  readonly #site = `t${runs++}`
  readonly #folder = mkdtempSync(join(tmpdir(), `rm3-test-${process.pid}-`))
  readonly #ledgers: string[] = []
  readonly #workers: Worker[] = []
  readonly #proxies: LossyProxy[] = []
  readonly #streams: string[]
  readonly #faults: Record<string, number> = {}
  readonly #pool: pg.Pool
  readonly #owner: Db

  constructor(options: TortureOptions) {
    this.#options = options
    this.#random = randomOf(options.seed)
    this.#streams = Array.from({ length: options.streams }, () => this.#random.uuid())
    const { url } = options.server
    this.#pool = openPool({ url, site: this.#site, restricted: false, connectionsMax: 2 })
    this.#owner = poolDb(this.#pool)
  }

  async load(): Promise<void> {
    const { server, processes, seconds, bug } = this.#options
    await migrate({ url: server.url, site: this.#site })
    if (bug === 'no unique key') await this.#owner.script(NAIVE_TABLE)
    const places = Array.from({ length: processes || CLIENTS_INSIDE }, (_, place) => place)
    for (const _ of places) this.#proxies.push(await LossyProxy.listen(targetOf(server.url)))
    await Promise.all(places.map(place => this.#startClient(place)))
    const until = Date.now() + seconds * 1_000
    await Promise.all([this.#breakThings(until), this.#killServer(until), sleep(seconds * 1_000)])
    for (const proxy of this.#proxies) proxy.set('pass')
    await Promise.all(this.#workers.splice(0).map(worker => worker.end()))
  }

  async report(): Promise<TortureReport> {
    const ledger = readLedgers(this.#ledgers)
    const naive = this.#options.bug === 'no unique key'
    const log = await readTruth(this.#owner, naive ? NAIVE : REAL)
    const began = performance.now()
    const violations = check(ledger, log)
    const checkMs = Math.round(performance.now() - began)
    if (!naive) {
      const { fault } = await verifyLog(this.#owner)
      if (fault) violations.push({ rule: 'b', text: `${fault.rule} at ${fault.position}` })
    }
    return {
      ...countsOf(ledger, log),
      violations,
      events: log.length,
      faults: { ...this.#faults, cuts: this.#proxies.reduce((sum, proxy) => sum + proxy.cuts, 0) },
      checkMs,
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.kill()))
    await Promise.all(this.#proxies.map(proxy => proxy.close()))
    await this.#pool.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #startClient(place: number): Promise<void> {
    const { server, processes, writers, readers, hot, bug, asynchronousCommit } = this.#options
    const name = `c${this.#ledgers.length}`
    const url = new URL(urlThrough(this.#proxies[place]?.port ?? 0, server.url))
    if (asynchronousCommit) url.searchParams.set('options', '-c synchronous_commit=off')
    const options: ClientOptions = {
      url: url.href,
      site: this.#site,
      seed: this.#random.below(2 ** 31),
      name,
      ledger: join(this.#folder, name),
      writers,
      readers,
      streams: this.#streams,
      hot,
      bug,
    }
    this.#ledgers.push(options.ledger)
    this.#workers[place] = processes === 0 ? startInside(options) : await startProcess(options)
  }

  /** The lesser faults, one after another; the first of all kinds kills a client, so that no run is without an append nobody was answered. */
  async #breakThings(until: number): Promise<void> {
    const { faults } = this.#options
    if (faults === null) return
    if (faults.kinds === 'all') {
      await sleep(faults.everyMs)
      await this.#killClient(0)
    }
    for (;;) {
      await sleep(faults.everyMs / 2 + this.#random.below(faults.everyMs))
      if (Date.now() >= until) return
      await this.#breakOne(this.#random.below(this.#proxies.length)).catch(() => {}) // the server is away
    }
  }

  async #breakOne(place: number): Promise<void> {
    const proxy = this.#proxies[place]
    const dice = this.#options.faults?.kinds === 'all' ? this.#random.below(12) : 0
    if (proxy === undefined) return
    if (dice < 5) {
      this.#count('lost answers')
      proxy.set('lose-answer', 1 + this.#random.below(3))
    } else if (dice < 7) {
      this.#count('lost requests')
      proxy.set('cut', 1 + this.#random.below(3))
    } else if (dice < 8) {
      this.#count('silences')
      proxy.set('silent')
      await sleep(this.#random.below(SILENT_MS))
      proxy.set('pass')
      proxy.cutAll()
    } else if (dice < 11) {
      this.#count('terminated backends')
      await this.#owner.rows(TERMINATE)
    } else {
      await this.#killClient(place)
    }
  }

  async #killClient(place: number): Promise<void> {
    this.#count('killed clients')
    await this.#workers[place]?.kill()
    await this.#startClient(place)
  }

  async #killServer(until: number): Promise<void> {
    const { server, serverKills, seconds, log = () => {} } = this.#options
    const pauseMs = (seconds * 1_000) / (serverKills + 1)
    for (let kills = 1; kills <= serverKills; kills++) {
      const at =
        until - seconds * 1_000 + pauseMs * (kills - 0.25 + this.#random.below(500) / 1_000)
      await sleep(Math.max(0, at - Date.now()))
      await server.kill()
      this.#count('killed servers')
      await sleep(this.#random.below(200))
      await server.restart()
      log(`server killed ${kills} of ${serverKills} times`)
    }
  }

  #count(fault: string): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
  }
}

/** Each connection of a client with a chance of a half; ours stay. */
const TERMINATE = `select pg_terminate_backend(pid) from pg_stat_activity
  where random() < 0.5 and pid <> pg_backend_pid() and backend_type = 'client backend'`

const REAL = `select position, stream, revision, event_id as "eventId", data->>'token' as token
  from log where position > $1::bigint order by position limit $2::int`
const NAIVE = `select position, stream, revision, event_id as "eventId", token
  from naive_log order by position, revision offset $1::bigint limit $2::int`
const TRUTH_BATCH = 20_000

async function readTruth(db: Db, text: string): Promise<Recorded[]> {
  const all: Recorded[] = []
  for (;;) {
    const events = await db.rows<Recorded>(text, [all.length, TRUTH_BATCH])
    for (const event of events) all.push(event)
    if (events.length < TRUTH_BATCH) return all
  }
}

function countsOf(
  ledger: Ledger,
  log: readonly Recorded[],
): Pick<TortureReport, 'operations' | 'results' | 'codes' | 'unknown'> {
  const { attempts, streamReads, logReads } = ledger
  const results = { ok: 0, conflict: 0, fail: 0, unknown: 0 }
  const codes: Record<string, number> = {}
  const outcomes = new Map<string, boolean>()
  for (const { token, result, code } of attempts) {
    results[result]++
    if (code) codes[code] = (codes[code] ?? 0) + 1
    outcomes.set(token, (outcomes.get(token) ?? false) || result !== 'unknown')
  }
  const there = new Set(log.map(({ token }) => token))
  const unknown = [...outcomes].filter(([, isKnown]) => !isKnown).map(([token]) => token)
  const written = unknown.filter(token => there.has(token)).length
  return {
    operations: attempts.length + streamReads.length + logReads.length,
    results: { ...results, streamReads: streamReads.length, logReads: logReads.length },
    codes,
    unknown: { written, notWritten: unknown.length - written },
  }
}
