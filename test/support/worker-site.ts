import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listWorkers, type WorkerStatus } from '../../src/jobs/checkpoints.ts'
import { discoverWorkers, type FoundWorker, workerNamed } from '../../src/jobs/discover.ts'
import type { SitePlace } from '../../src/jobs/messages.ts'
import { PATIENCE, type Patience, Runner } from '../../src/jobs/runner.ts'
import { Scheduler } from '../../src/jobs/scheduler.ts'
import { TEST_SITE, type TestSite, testSite } from './database.ts'
import { pluginSite } from './plugin-site.ts'

/** A site whose own package brings the workers that a test writes. */
export interface WorkerSite extends TestSite {
  readonly folder: string
  readonly place: SitePlace
  /** What was said. */
  readonly said: string[]
  /** Lines that workers have left with `trace(line)`. */
  traces(): string[]
  worker(name: string): Promise<FoundWorker>
  runner(patience?: Partial<Patience>): Runner
  /** A scheduler of some of the workers, as another process would have one. Not started; stopped with the site. */
  scheduler(names: readonly string[], patience?: Partial<Patience>): Promise<Scheduler>
  status(name: string): Promise<WorkerStatus>
  /** Makes a worker due now, as if time had passed. */
  makeDue(name: string): Promise<void>
}

/** @param workers the members of their definitions as source, by name; `trace(line)` leaves a line */
export async function workerSite(workers: Readonly<Record<string, string>>): Promise<WorkerSite> {
  const open = await testSite()
  const packages = pluginSite({ workers: 'workers' })
  const traceFile = join(packages.folder, 'trace')
  for (const [name, members] of Object.entries(workers)) {
    packages.write(`workers/${name}.js`, moduleOf(name, members, traceFile))
  }
  const place = {
    ...{ url: open.url, site: TEST_SITE },
    publicBlobsFolder: join(packages.folder, 'public'),
    privateBlobsFolder: join(packages.folder, 'private'),
  }
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const schedulers: Scheduler[] = []
  const found = await discoverWorkers(packages.folder)
  const runner = (patience: Partial<Patience> = {}) =>
    new Runner(place, say, { ...PATIENCE, ...patience })
  return {
    ...{ ...open, folder: packages.folder, place, said, runner },
    traces: () => (existsSync(traceFile) ? readFileSync(traceFile, 'utf8').trim().split('\n') : []),
    worker: async name => workerNamed(found, name),
    scheduler: async (names, patience) => {
      const scheduler = new Scheduler({
        db: open.site.db,
        workers: names.map(name => workerNamed(found, name)),
        runner: runner(patience),
        owner: `scheduler ${schedulers.length}`,
        ...{ say, wakeups: open.wakeups, pollMs: 50 },
      })
      schedulers.push(scheduler)
      return scheduler
    },
    status: async name => {
      const status = (await listWorkers(open.site.db)).find(worker => worker.name === name)
      if (status === undefined) throw new Error(`${name} has no row`)
      return status
    },
    makeDue: async name => {
      await open.site.db.rows(
        `update checkpoints set due = now() - interval '1 second', retry_at = null where kind = 'worker' and name = $1::text`,
        [name],
      )
    },
    close: async () => {
      await Promise.all(schedulers.map(scheduler => scheduler.stop()))
      await open.close()
      packages.remove()
    },
  }
}

function moduleOf(name: string, members: string, traceFile: string): string {
  return `import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { defineWorker } from 'rm3'
const trace = line => appendFileSync(${JSON.stringify(traceFile)}, line + '\\n')
const traced = () => existsSync(${JSON.stringify(traceFile)}) ? readFileSync(${JSON.stringify(traceFile)}, 'utf8') : ''
const never = new Promise(() => {})
export default defineWorker({ name: '${name}', ${members} })
`
}
