/** An instant as templates show it. */
export interface Moment {
  /** For `<time datetime>`. */
  readonly iso: string
  /** `21 February 2017` */
  readonly day: string
  /** `16:24 UTC` */
  readonly time: string
  /** `21 February 2017, 16:24 UTC` */
  readonly full: string
}

const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September'],
  ...['October', 'November', 'December'],
]
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2})/

/** @param instant RFC 3339 in UTC; anything else is shown as it is */
export function momentOf(instant: string): Moment {
  const [, year, month, day, clock] = INSTANT.exec(instant) ?? []
  if (year === undefined || month === undefined) {
    return { iso: instant, day: instant, time: instant, full: instant }
  }
  const date = `${Number(day)} ${MONTHS[Number(month) - 1] ?? month} ${Number(year)}`
  const time = `${clock} UTC`
  return { iso: instant, day: date, time, full: `${date}, ${time}` }
}

/** A number of seconds in words people use: `40 seconds`, `3 minutes`, `2 hours`; rounded up. */
export function durationInWords(seconds: number): string {
  if (seconds < 90) return counted(Math.max(1, Math.ceil(seconds)), 'second')
  if (seconds < 90 * 60) return counted(Math.ceil(seconds / 60), 'minute')
  return counted(Math.ceil(seconds / 3600), 'hour')
}

/** `1 comment`, `2 comments`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
