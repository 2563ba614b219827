import { Rm3Error } from '../errors.ts'
import { discover, type Found } from '../plugins.ts'
import { isCron, parseEvery } from './cron.ts'
import { isSubscribed, type Schedule, type Worker } from './define.ts'

/** A worker and where it was found. */
export interface FoundWorker {
  readonly name: string
  /** Absolute path of the compiled module. */
  readonly file: string
  /** Name of the package that brings it; null: rm3 itself. */
  readonly plugin: string | null
  readonly worker: Worker
}

/**
 * The workers of rm3, by file name, then those of the site's plugins (see `src/plugins.ts`).
 *
 * @param folder the site's
 * @throws CONFIG_INVALID also when a definition is not a worker or its schedule cannot be understood
 */
export async function discoverWorkers(folder?: string): Promise<FoundWorker[]> {
  return (await discover('workers', folder)).map(checked)
}

/** The one of that name. @throws WORKER_NOT_FOUND */
export function workerNamed(workers: readonly FoundWorker[], name: string): FoundWorker {
  const found = workers.find(worker => worker.name === name)
  if (found !== undefined) return found
  const known = workers.map(worker => worker.name)
  throw new Rm3Error(
    'WORKER_NOT_FOUND',
    `there is no worker "${name}"; there are ${known.join(', ')}`,
    {
      name,
      known,
    },
  )
}

function checked({ definition, name, file, plugin }: Found): FoundWorker {
  const worker = definition as Worker
  const isWhole =
    typeof worker.run === 'function' &&
    (isSubscribed(worker) ? worker.subscription.on.length > 0 : 'schedule' in worker)
  if (!isWhole) throw invalid(`${file} is not a worker; see docs/how-to/write-a-worker.md`)
  if (!isSubscribed(worker) && !isSchedule(worker.schedule)) {
    throw invalid(
      `${file}: its schedule is none of {every: '15m'}, {cron: '5 4 * * *'} and {at: an RFC 3339 instant or a function}`,
    )
  }
  return { name, file, plugin, worker }
}

function isSchedule(schedule: Schedule): boolean {
  if ('every' in schedule) return parseEvery(schedule.every) !== null
  if ('cron' in schedule) return isCron(schedule.cron)
  return typeof schedule.at === 'function' || !Number.isNaN(Date.parse(schedule.at))
}

function invalid(problem: string): Rm3Error {
  return new Rm3Error('CONFIG_INVALID', problem)
}
