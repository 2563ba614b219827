const CHARS = 'yyyy-mm-ddThh:mm:ss.mmmZ'.length
const DATE_CHARS = 'yyyy-mm-dd'.length
const [ZERO, DASH, COLON, DOT, T, Z] = [0x30, 0x2d, 0x3a, 0x2e, 0x54, 0x5a]
/** In place of two digits that are none: less than any number can make up for. */
const NONE = -1e9

/** The day that was met last: looking one up takes longer than all else. */
let lastDay = -1
let lastDayMs = Number.NaN

/**
 * Milliseconds since 1970 of an instant as events have it: RFC 3339, UTC, milliseconds. As `Date.parse`, in a fifth of its time.
 *
 * @returns NaN for any other text
 */
export function parseInstant(text: string): number {
  if (text.length !== CHARS || !hasSigns(text)) return Number.NaN
  const year = digits(text, 0) * 100 + digits(text, 2)
  const day = year * 10_000 + digits(text, 5) * 100 + digits(text, 8)
  const hours = digits(text, 11)
  const minutes = digits(text, 14)
  const seconds = digits(text, 17)
  const ms = digits(text, 20) * 10 + digit(text, 22)
  if (day < 0 || hours < 0 || minutes < 0 || seconds < 0 || ms < 0) return Number.NaN
  if (hours > 23 || minutes > 59 || seconds > 59) return Number.NaN
  if (day !== lastDay) {
    lastDayMs = dayMs(text.slice(0, DATE_CHARS))
    lastDay = day
  }
  return lastDayMs + ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
}

/** As `parseInstant`, and as `Date.parse` of a text in another form. */
export function msOfInstant(text: string): number {
  const ms = parseInstant(text)
  return Number.isNaN(ms) ? Date.parse(text) : ms
}

function hasSigns(text: string): boolean {
  return (
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    text.charCodeAt(10) === T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    text.charCodeAt(19) === DOT &&
    text.charCodeAt(23) === Z
  )
}

function digits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - ZERO
  return value >= 0 && value <= 9 ? value : NONE
}

/** NaN of a day that does not exist: `Date` takes it for another one. */
function dayMs(date: string): number {
  const ms = Date.parse(date)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date) ? ms : Number.NaN
}
