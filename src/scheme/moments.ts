/** An instant as templates show it. */
export interface Moment {
  /** For `<time datetime>`: RFC 3339 in UTC. */
  readonly iso: string
  /** `2017-02-21`, as fields for a day take it; '' for what is no instant. */
  readonly date: string
  /** `21 February 2017` */
  readonly day: string
  /** `16:24 UTC`, `17:24 CET` */
  readonly time: string
  /** `21 February 2017, 16:24 UTC` */
  readonly full: string
}

const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September'],
  ...['October', 'November', 'December'],
]
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2})/

/**
 * @param instant RFC 3339 in UTC; anything else is shown as it is
 * @param zone the time zone whose clocks are meant, such as `Europe/Berlin`
 */
export function momentOf(instant: string, zone: string): Moment {
  const [, year, month, day, clock] = INSTANT.exec(instant) ?? []
  if (year === undefined || month === undefined || day === undefined || clock === undefined) {
    return { iso: instant, date: '', day: instant, time: instant, full: instant }
  }
  if (zone === 'UTC') return shown(instant, { year, month, day, time: `${clock} UTC` })
  const parts = partsIn(zone, instant)
  const time = `${parts['hour']}:${parts['minute']} ${parts['timeZoneName']}`
  return shown(instant, {
    ...{ year: parts['year'] ?? year, month: parts['month'] ?? month, day: parts['day'] ?? day },
    time,
  })
}

function shown(
  iso: string,
  { year, month, day, time }: { year: string; month: string; day: string; time: string },
): Moment {
  const words = `${Number(day)} ${MONTHS[Number(month) - 1] ?? month} ${Number(year)}`
  return { iso, date: `${year}-${month}-${day}`, day: words, time, full: `${words}, ${time}` }
}

/** The format of the zone that was asked for last: to make one takes a thousand times as long as to use it. */
let known: { readonly zone: string; readonly format: Intl.DateTimeFormat } | null = null

function partsIn(zone: string, instant: string): Record<string, string> {
  if (known?.zone !== zone) known = { zone, format: formatIn(zone) }
  const parts = known.format.formatToParts(Date.parse(instant))
  return Object.fromEntries(parts.map(({ type, value }) => [type, value]))
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB-u-ca-iso8601', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  })
}
