/** A stretch of time as people say it. Instants are RFC 3339 in UTC with milliseconds. */
export interface Period {
  /** Its first instant. */
  readonly from: string
  /** The first instant after it. */
  readonly until: string
}

/** A day; `day` and `month` from 1, and out of range they count on, as `Date` has it. */
interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
}

const DATE = /^(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?$/

/** Before it there was no time of the site, and zones and calendars were others. */
const YEAR_FIRST = 1900

/**
 * The time that `today`, `yesterday`, `2024`, `2024-03` or `2024-03-05` is in a time zone.
 *
 * @param zone as `isTimeZone` (`content/time-zone.ts`) takes it
 * @param now RFC 3339: what `today` follows from
 * @returns null when it is none, also for the 30th of February, and for years before 1900
 */
export function parsePeriod(text: string, zone: string, now: string): Period | null {
  if (text === 'today' || text === 'yesterday') {
    const { year, month, day } = dayIn(zone, Date.parse(now))
    const first = { year, month, day: text === 'today' ? day : day - 1 }
    return between(zone, first, { ...first, day: first.day + 1 })
  }
  const [, years, months, days] = DATE.exec(text) ?? []
  const year = Number(years)
  if (years === undefined || year < YEAR_FIRST) return null
  const month = Number(months ?? 1)
  const first = { year, month, day: Number(days ?? 1) }
  if (days !== undefined) {
    if (first.day > new Date(utc({ year, month: month + 1, day: 0 })).getUTCDate()) return null
    return between(zone, first, { ...first, day: first.day + 1 })
  }
  const next = months === undefined ? { ...first, year: year + 1 } : { ...first, month: month + 1 }
  return between(zone, first, next)
}

function between(zone: string, first: Day, next: Day): Period {
  return { from: beginningOf(zone, first), until: beginningOf(zone, next) }
}

/** Midnight, or when clocks leap over that, the first instant of the day. */
function beginningOf(zone: string, day: Day): string {
  const local = utc(day)
  const guess = local - offsetIn(zone, local)
  const begun = local - offsetIn(zone, guess)
  return new Date(Math.max(guess, begun)).toISOString()
}

/** How far clocks in the zone are ahead of UTC, in ms. */
function offsetIn(zone: string, instant: number): number {
  const parts = partsIn(zone, instant)
  const clock = Date.UTC(2000, 0, 1, parts['hour'], parts['minute'], parts['second'])
  const shown = utc(dayOf(parts)) + (clock - Date.UTC(2000, 0, 1))
  return shown - Math.floor(instant / 1000) * 1000
}

function dayIn(zone: string, instant: number): Day {
  return dayOf(partsIn(zone, instant))
}

function dayOf(parts: Readonly<Record<string, number>>): Day {
  const { year = 1, month = 1, day = 1 } = parts
  return { year, month, day }
}

function partsIn(timeZone: string, instant: number): Record<string, number> {
  const format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  })
  const parts = format.formatToParts(instant)
  return Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]))
}

/** The midnight of a day in UTC. */
function utc({ year, month, day }: Day): number {
  return Date.UTC(year, month - 1, day)
}
