import { nextCron, parseEvery } from './cron.ts'
import { isSubscribed, type Schedule, type Worker } from './define.ts'

/** The trigger of a worker that the site's tables say the time of. */
export const AS_SCHEDULED = 'as scheduled'

/** What makes a worker run, in words: `every 15m`, `cron 5 4 * * *`, `at 2027-01-01T00:00:00.000Z`, `as scheduled`, `on PageRevised`. */
export function triggerOf(worker: Worker): string {
  if (isSubscribed(worker)) return `on ${worker.subscription.on.join(', ')}`
  const { schedule } = worker
  if ('every' in schedule) return `every ${schedule.every}`
  if ('cron' in schedule) return `cron ${schedule.cron}`
  return typeof schedule.at === 'string' ? `at ${schedule.at}` : AS_SCHEDULED
}

/**
 * When a worker is due for the first time; null: not by time, or when the site's tables say it.
 *
 * @param now an instant, RFC 3339
 */
export function firstDue(worker: Worker, now: string): string | null {
  if (isSubscribed(worker)) return null
  const { schedule } = worker
  if ('at' in schedule) {
    return typeof schedule.at === 'string' ? new Date(schedule.at).toISOString() : null
  }
  return nextAfter(schedule, now, now)
}

/**
 * When a worker is due after a run that was due at `due` and ended at `now`: always after `now`, so that what was missed is made up for
 * by one run.
 */
export function nextDue(worker: Worker, due: string | null, now: string): string | null {
  if (isSubscribed(worker) || 'at' in worker.schedule) return null
  return nextAfter(worker.schedule, due ?? now, now)
}

function nextAfter(
  schedule: Exclude<Schedule, { at: unknown }>,
  due: string,
  now: string,
): string | null {
  if ('cron' in schedule) {
    return nextCron(schedule.cron, new Date(now))?.toISOString() ?? null
  }
  const everyMs = parseEvery(schedule.every) ?? 0
  const next = Math.max(Date.parse(due), Date.parse(now) - everyMs) + everyMs
  return new Date(next > Date.parse(now) ? next : Date.parse(now) + everyMs).toISOString()
}
