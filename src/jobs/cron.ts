import { Cron } from 'croner'

/** Names such as MON and `@daily`, which some crontabs take and others do not. */
const NAMES = /[a-z@]/i

/**
 * The first minute after an instant that fits a line of five fields as in crontab(5), in UTC; null when none ever does, as for 30
 * February, and when the line is not one. When day and weekday are both said, one of them that fits is enough.
 */
export function nextCron(line: string, after: Date): Date | null {
  if (!isCron(line)) return null
  return cronOf(line).nextRun(after)
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const EVERY = /^([1-9]\d{0,5})([smhd])$/

/** Milliseconds of `15m`; null when it is none. */
export function parseEvery(every: string): number | null {
  const [, count, unit] = EVERY.exec(every) ?? []
  return count === undefined ? null : Number(count) * UNITS[unit as keyof typeof UNITS]
}

/** When something is due again that was done at an instant: `when` is a span such as `6h` or five fields as in crontab. Null: never. */
export function nextTime(when: string, done: Date): Date | null {
  const everyMs = parseEvery(when)
  return everyMs === null ? nextCron(when, done) : new Date(done.getTime() + everyMs)
}

/** Whether a line is five fields: minute, hour, day, month, weekday (0 and 7 are Sunday), in numbers. */
export function isCron(line: string): boolean {
  if (NAMES.test(line)) return false
  try {
    cronOf(line)
    return true
  } catch {
    return false
  }
}

function cronOf(line: string): Cron {
  return new Cron(line, { mode: '5-part', timezone: 'UTC', paused: true })
}
