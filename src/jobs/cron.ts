/** The fields of a cron line, each with the numbers that fit; `days` counts from 1, `weekdays` from Sunday = 0. */
export interface Cron {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly weekdays: ReadonlySet<number>
  /** Both the day and the weekday are restricted: then one of them that fits is enough. */
  readonly either: boolean
}

const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const

/**
 * Five fields as in crontab(5): minute, hour, day, month, weekday (0 and 7 are Sunday), each `*`, a number, `a-b`, a list of these,
 * and any of them but a number with `/step`. No names and no `@daily`.
 *
 * @returns null when it is not one
 */
export function parseCron(text: string): Cron | null {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== RANGES.length) return null
  const sets = fields.map((field, n) => numbersOf(field, RANGES[n] ?? RANGES[0]))
  const [minutes, hours, days, months, weekdays] = sets
  if (!minutes || !hours || !days || !months || !weekdays) return null
  if (weekdays.has(7)) weekdays.add(0)
  const [, , day = '', , weekday = ''] = fields
  const either = !day.startsWith('*') && !weekday.startsWith('*')
  return { minutes, hours, days, months, weekdays, either }
}

const PART = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/

function numbersOf(field: string, [low, high]: readonly [number, number]): Set<number> | null {
  const numbers = new Set<number>()
  for (const part of field.split(',')) {
    const match = PART.exec(part)
    if (match === null) return null
    const [, first, last, every] = match
    if (first !== undefined && last === undefined && every !== undefined) return null
    const from = first === undefined ? low : Number(first)
    const until = first === undefined ? high : Number(last ?? first)
    const step = Number(every ?? 1)
    if (from < low || until > high || from > until || step < 1) return null
    for (let number = from; number <= until; number += step) numbers.add(number)
  }
  return numbers
}

const MINUTE_MS = 60_000
/** 29 February on a given weekday comes again within this many years, also around 2100. */
const YEARS_MAX = 41

/** The first minute after an instant that fits, in UTC; null when none ever does, as for 30 February. */
export function nextCron(cron: Cron, after: Date): Date | null {
  const start = new Date(Math.floor(after.getTime() / MINUTE_MS) * MINUTE_MS + MINUTE_MS)
  const end = start.getUTCFullYear() + YEARS_MAX
  const at = new Date(start)
  while (at.getUTCFullYear() < end) {
    if (!fitsDay(cron, at)) at.setUTCHours(24, 0, 0, 0)
    else if (!cron.hours.has(at.getUTCHours())) at.setUTCHours(at.getUTCHours() + 1, 0, 0, 0)
    else if (!cron.minutes.has(at.getUTCMinutes())) at.setTime(at.getTime() + MINUTE_MS)
    else return at
  }
  return null
}

function fitsDay({ days, months, weekdays, either }: Cron, at: Date): boolean {
  if (!months.has(at.getUTCMonth() + 1)) return false
  const day = days.has(at.getUTCDate())
  const weekday = weekdays.has(at.getUTCDay())
  return either ? day || weekday : day && weekday
}
