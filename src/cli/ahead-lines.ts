/** Clocks may differ by so much. */
const AHEAD_MS = 60_000

/**
 * What is said of a log whose last event was recorded by a clock ahead of this one: instants in it are not what they say, and rm3, whose log never goes
 * back in time, records at that instant what is saved until then.
 *
 * @param recordedAt of the last event, RFC 3339; null of an empty log
 * @param now in milliseconds since 1970
 * @returns [] when it is not
 */
export function aheadLines(recordedAt: string | null, now: number): string[] {
  if (recordedAt === null || Date.parse(recordedAt) - now <= AHEAD_MS) return []
  return [
    `  its last event was recorded at ${recordedAt}, and here it is ${new Date(now).toISOString()}: one of the clocks is wrong. What is saved before that instant is recorded as of it`,
  ]
}
