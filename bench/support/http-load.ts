import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Loads a server from a process of its own: `node http-load.js '<Job as JSON>'` prints a Result as JSON.
 *
 * Each connection sends one request after the other. `urls` are taken in turn; with `edit`, each connection keeps one page and sends the
 * ETag of the last answer as If-Match.
 */
export interface Job {
  readonly urls: readonly string[]
  readonly connections: number
  readonly forMs: number
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly headers: Readonly<Record<string, string>>
  /** `$turn` in it is replaced by a number that grows. */
  readonly body?: string
  /** All connections together begin so many requests a second, evenly; one that is late counts from when it was due. As fast as they go without. */
  readonly perSecond?: number
  /** ETags by URL to begin with; then that of each answer. */
  readonly etags?: Readonly<Record<string, string>>
}

export interface Result {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

const WARM_UP = 0.25

async function run(job: Job): Promise<Result> {
  const agent = new Agent({ keepAlive: true, maxSockets: job.connections })
  const etags = new Map(Object.entries(job.etags ?? {}))
  const begun = performance.now()
  const from = begun + job.forMs * WARM_UP
  const until = from + job.forMs
  const times: number[] = []
  let failed = 0
  const loop = async (connection: number) => {
    for (let turn = 0; performance.now() < until; turn++) {
      const url =
        job.urls[
          job.etags
            ? connection % job.urls.length
            : (connection + turn * job.connections) % job.urls.length
        ] ?? ''
      const start = await dueAt(job, begun, connection + turn * job.connections)
      const answer = await send(agent, job, url, { turn, etag: etags.get(url) })
      if (answer.statusCode !== 200 && answer.statusCode !== 201) failed++
      if (job.etags && answer.headers.etag) etags.set(url, answer.headers.etag)
      if (start >= from) times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: job.connections }, (_, connection) => loop(connection)))
  agent.destroy()
  times.sort((a, b) => a - b)
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  return { perSecond: (times.length / job.forMs) * 1000, p50: at(0.5), p99: at(0.99), failed }
}

/** Waits until the n-th request is due. @returns when its time begins */
async function dueAt({ perSecond }: Job, begun: number, n: number): Promise<number> {
  if (perSecond === undefined) return performance.now()
  const due = begun + (n * 1000) / perSecond
  const early = due - performance.now()
  if (early <= 0) return due
  await sleep(early)
  return performance.now()
}

function send(
  agent: Agent,
  job: Job,
  url: string,
  { turn, etag }: { turn: number; etag: string | undefined },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { ...job.headers, ...(etag !== undefined && { 'if-match': etag }) }
    const outgoing = request(url, { agent, method: job.method, headers }, answer => {
      answer.resume()
      answer.on('end', () => resolve(answer))
      answer.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(job.body?.replaceAll('$turn', String(turn)))
  })
}

const [argument] = process.argv.slice(2)
if (argument !== undefined) console.log(JSON.stringify(await run(JSON.parse(argument) as Job)))
