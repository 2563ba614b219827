import type { Json } from '../../codec/json.ts'
import { Rm3Error } from '../../errors.ts'
import {
  listWorkers,
  registerWorkers,
  resetWorker,
  setUpWorkers,
  type WorkerStatus,
} from '../../jobs/checkpoints.ts'
import { isSubscribed } from '../../jobs/define.ts'
import { discoverWorkers, workerNamed } from '../../jobs/discover.ts'
import { runNow } from '../../jobs/run-now.ts'
import { type Ended, Runner } from '../../jobs/runner.ts'
import { AS_SCHEDULED } from '../../jobs/schedule.ts'
import { readHead } from '../../log/read.ts'
import { ownerName, placeOf } from '../../run-workers.ts'
import type { Call, Command, Outcome } from '../command.ts'
import { withDatabase, withSite, withSiteOf } from '../open.ts'
import { columns } from '../usage.ts'

const NAME = { name: 'NAME', summary: 'of a worker, as worker list shows it' } as const

const createworkflow: Command = {
  name: 'createworkflow',
  summary: 'sets all workers up afresh',
  details: `As if they had never run: leases, failures and due times are forgotten, subscriptions begin where new ones do, and what is
kept of workers that are no more goes. Runs under way are stopped. Safe to call at any time and any number of times.`,
  run: call =>
    withSite(call, async ({ db }) => {
      const workers = await discoverWorkers()
      await setUpWorkers(db, workers)
      const names = workers.map(({ name }) => name)
      return { text: `Set up afresh: ${names.join(', ')}.`, data: { workers: names, done: true } }
    }),
}

const list: Command = {
  name: 'worker list',
  summary: 'lists the workers: when they are due, how their last run went, what stops them',
  run: call =>
    withSite(call, async ({ db }) => {
      const workers = await discoverWorkers()
      await registerWorkers(db, workers)
      const items = await listWorkers(db, workers)
      const text = columns(items.map(item => [item.name, `${item.trigger}: ${tellOf(item)}`]))
      return { text: text.join('\n'), data: { items: items as unknown as Json, next: null } }
    }),
}

/** What a worker does just now or did last, in words. */
export function tellOf(status: WorkerStatus): string {
  const { state, due, running, retryAt, error, tries, lag, lastRun, trigger } = status
  if (running !== null) {
    const far = running.progress === null ? '' : `, ${running.progress}`
    return `running since ${running.since} (${running.owner})${far}`
  }
  const last = lastRun === null ? 'never ran' : `last ran ${lastRun.ended}`
  switch (state) {
    case 'failed':
      return `FAILED after ${tries} tries, ${last}: ${firstLine(error)}`
    case 'retrying':
      return `failed ${tries} times, tries again ${retryAt ?? 'when due'}: ${firstLine(error)}`
    default: {
      const never = trigger === AS_SCHEDULED ? ', nothing is scheduled' : ''
      const next = due === null ? never : `, due ${due}`
      return `${last}${next}${lag === null ? '' : `, ${lag} positions behind`}`
    }
  }
}

function firstLine(text: string | null): string {
  return (text ?? '').split('\n', 1)[0] ?? ''
}

const run: Command = {
  name: 'worker run',
  summary: 'runs a worker now, in this process',
  arguments: [NAME],
  options: { 'dry-run': { summary: 'changes nothing, tells what would be done' } },
  details: `Also one that has failed, which is then tried by itself again when it succeeds. Exit code 11 while another process runs
it, 1 when the run fails.`,
  run: call =>
    withDatabase(call, (database, config) =>
      withSiteOf(call, database, config, async ({ db }) => {
        const found = workerNamed(await discoverWorkers(), call.argument('NAME'))
        const runner = new Runner(placeOf(config, database.url), line => call.say(line))
        const stop = () => void runner.stop()
        call.signal.addEventListener('abort', stop)
        const dryRun = call.flag('dry-run')
        // how it ended is what we print
        const say = () => {}
        const ended = await runNow({ db, found, runner, owner: ownerName(), say, dryRun })
        call.signal.throwIfAborted()
        return outcomeOf(found.name, ended, dryRun)
      }),
    ),
}

function outcomeOf(name: string, ended: Ended, dryRun: boolean): Outcome {
  if (ended.type === 'done') {
    const { report } = ended
    const told = report === null ? '' : ` ${JSON.stringify(report)}`
    const text = dryRun ? `${name} would do:${told}` : `${name} is done.${told}`
    return { text, data: { name, dryRun, report } }
  }
  const why = ended.type === 'failed' ? firstLine(ended.error) : 'another process has taken it over'
  throw new Rm3Error('WORKER_FAILED', `the worker "${name}" failed: ${why}`, { name })
}

const reset: Command = {
  name: 'worker reset',
  summary: 'sets a worker up afresh, as if it had never run',
  arguments: [NAME],
  options: { to: { value: 'POSITION', summary: 'its subscription goes on after this position' } },
  run: call =>
    withSite(call, async ({ db }) => {
      const found = workerNamed(await discoverWorkers(), call.argument('NAME'))
      const to = positionOf(call)
      if (to !== null && !isSubscribed(found.worker)) {
        throw new Rm3Error('USAGE', `--to: the worker "${found.name}" runs by time, not by events`)
      }
      const { position: head } = await readHead(db)
      if (to !== null && to > head) {
        throw new Rm3Error('USAGE', `--to: the log ends at position ${head}`)
      }
      await resetWorker(db, found, to)
      const status = (await listWorkers(db)).find(({ name }) => name === found.name)
      return { text: `${found.name} is set up afresh.`, data: (status ?? null) as unknown as Json }
    }),
}

function positionOf(call: Call): number | null {
  const text = call.option('to')
  if (text === null) return null
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Rm3Error('USAGE', '--to takes a position of the log')
}

/** `rm3admin createworkflow` and `worker list`, `run`, `reset`. */
export const jobCommands: readonly Command[] = [createworkflow, list, run, reset]
