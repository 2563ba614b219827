const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?$/
const UUID_V1 = /^([0-9a-f]{8})-([0-9a-f]{4})-1([0-9a-f]{3})-/
const HUNDRED_NS_TO_1970 = 122_192_928_000_000_000n

/** An instant in RFC 3339, UTC, milliseconds; `zoned` is false when the text named no zone and UTC was taken. */
export interface ReadInstant {
  readonly instant: string
  readonly zoned: boolean
}

/** `text` as an instant, or null when it is none. Digits beyond milliseconds are dropped. */
export function readInstant(text: string): ReadInstant | null {
  const parts = INSTANT.exec(text)
  if (parts === null) return null
  const [, year, month, day, time, fraction = '', zone = ''] = parts
  const millis = fraction.slice(0, 3).padEnd(3, '0')
  const local = new Date(`${year}-${month}-${day}T${time}.${millis}Z`)
  if (Number.isNaN(local.getTime()) || local.getUTCDate() !== Number(day)) return null
  const at = new Date(local.getTime() - offsetMs(zone))
  const inRange = at.getUTCFullYear() >= 1 && at.getUTCFullYear() <= 9999
  return inRange ? { instant: at.toISOString(), zoned: zone !== '' } : null
}

/** When a version 1 uuid was made, to the millisecond; null for any other id. rm3 0.x made all of its ids so. */
export function instantOfUuid(id: string): string | null {
  const parts = UUID_V1.exec(id)
  if (parts === null) return null
  const [, low = '', middle = '', high = ''] = parts
  const millis = (BigInt(`0x${high}${middle}${low}`) - HUNDRED_NS_TO_1970) / 10_000n
  return new Date(Number(millis)).toISOString()
}

function offsetMs(zone: string): number {
  if (zone === '' || zone === 'Z') return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}
