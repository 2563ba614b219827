import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { openSite } from '../src/open-site.ts'
import { discoverProjections } from '../src/projector/discover.ts'
import { rebuildProjections } from '../src/projector/rebuild.ts'
import { usualThreads } from '../src/projector/threads.ts'
import type { Bench } from './harness.ts'
import { fillLog } from './support/big-log.ts'
import { inFolder } from './support/folder-backup.ts'
import type { Result } from './support/http-load.ts'
import { type HttpSite, httpSite } from './support/http-site.ts'

/**
 * Question: how much later do readers of pages get their answers while rm3backup runs, one after the other, into an archive and into a folder? They come
 * evenly, so many a second, whether or not others have their answer yet: readers do not wait for each other. What a loop that only counts costs them at the
 * same low priority tells how much of that is the machine's.
 */
const EVENTS = 200_000
const ENTITIES = 20_000
const SITE = 'bench'
const URLS = 1_000
const READS_PER_SECOND = 200
const FOR_MS = 8_000

export default async function backupReads(bench: Bench): Promise<void> {
  const database = { url: bench.url, site: SITE }
  await (await openSite(database)).close()
  await fillLog(database, { events: EVENTS, entities: ENTITIES })
  const all = await discoverProjections()
  await rebuildProjections(database, { projections: all, all, threads: usualThreads() })
  const http = await httpSite(bench)
  try {
    await http.settle()
    await inFolder(folder => measure(bench, http, folder))
  } finally {
    await http.close()
  }
}

const PATHS = 'select path from pages order by md5(entity_id::text) limit $1::int'

async function measure(bench: Bench, http: HttpSite, folder: string): Promise<void> {
  const rows = await http.site.db.rows<{ path: string }>(PATHS, [URLS])
  const urls = rows.map(({ path }) => `${http.url}/api/pages/${path}`)
  const read = () => http.load({ urls, forMs: FOR_MS, perSecond: READS_PER_SECOND })
  const before = await read()
  const beside = await besideLoop(read)
  const during: [string, Result][] = []
  for (const [name, options] of [
    ['into an archive', ['--archive']],
    ['into a folder', []],
  ] as const) {
    const backups = new Backups(bench.url, n => [...options, join(folder, `${name}${n}`)])
    during.push([name, await read()])
    bench.say(`${await backups.stop()} whole backups ${name} meanwhile`)
  }
  const after = await read()
  const failed = [before, beside, after, ...during.map(([, result]) => result)].filter(
    it => it.failed > 0,
  )
  if (failed.length > 0) throw new Error(`requests failed: ${JSON.stringify(failed)}`)
  bench.say(`p50 / p99 ms without: ${ms(before)} before, ${ms(after)} after`)
  bench.say(`p50 / p99 ms beside a loop that only counts: ${ms(beside)}`)
  for (const [name, result] of during) {
    bench.say(`p50 / p99 ms ${name}: ${ms(result)}`)
    bench.report({
      ...{
        case: `${READS_PER_SECOND} reads/s, a backup ${name}`,
        value: result.p99,
        unit: 'ms p99',
      },
      ...{ limit: (before.p99 + after.p99) / 2, limitName: 'ms without', must: '<= 1.5' },
    })
  }
}

const LOOP = 'os.setPriority(os.constants.priority.PRIORITY_LOW); for (;;);'

async function besideLoop<T>(run: () => Promise<T>): Promise<T> {
  const loop = spawn(process.execPath, ['--eval', LOOP], { stdio: 'ignore' })
  try {
    return await run()
  } finally {
    loop.kill()
  }
}

/** Runs rm3backup again and again until it is stopped. */
class Backups {
  readonly #url: string
  readonly #arguments: (n: number) => string[]
  readonly #done: Promise<number>
  #child: ChildProcess | null = null
  #isStopped = false

  /** @param argumentsOf the arguments of the n-th call, from 0 */
  constructor(url: string, argumentsOf: (n: number) => string[]) {
    this.#url = url
    this.#arguments = argumentsOf
    this.#done = this.#run()
  }

  /** @returns how many backups were made to their end */
  async stop(): Promise<number> {
    this.#isStopped = true
    this.#child?.kill('SIGINT')
    return this.#done
  }

  async #run(): Promise<number> {
    const script = join(import.meta.dirname, '../src/cli/rm3backup.js')
    for (let done = 0; ; done++) {
      const child = spawn(process.execPath, [script, ...this.#arguments(done)], {
        env: { PATH: process.env['PATH'] ?? '', RM3_PG: this.#url, RM3_SITE: SITE },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      this.#child = child
      const [code] = (await once(child, 'exit')) as [number | null]
      if (this.#isStopped) return done
      if (code !== 0) throw new Error(`rm3backup ended with ${code}`)
    }
  }
}

function ms({ p50, p99 }: Result): string {
  return `${p50.toFixed(2)} / ${p99.toFixed(2)}`
}
