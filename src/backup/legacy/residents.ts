import { NOBODY, ROOT, SYSTEM } from '../../content/events.ts'
import { type Findings, spotOf, warn } from './findings.ts'
import type { LegacyRow } from './history.ts'
import { derivedId } from './ids.ts'
import type { Life } from './lives.ts'

/** Which entity was at a path at a time; null when the backup does not know any. */
export type Residents = (path: string, time: number) => string | null

/**
 * Who lived where and when, as far as rows and records tell.
 *
 * Before its first row a path's first entity is taken, so that an author's first act is not orphaned by a clock.
 */
export function residentsOf(lives: ReadonlyMap<string, Life>): Residents {
  const byPath = new Map<string, { entityId: string; since: number }[]>()
  const settle = (path: string, entityId: string, since: number) => {
    const there = byPath.get(path) ?? []
    there.push({ entityId, since })
    byPath.set(path, there)
  }
  for (const { entityId, record, rows } of lives.values()) {
    for (const row of rows) {
      settle(row.path, entityId, timeOf(row) ?? 0)
      if (row.toPath !== null) settle(row.toPath, entityId, timeOf(row) ?? 0)
    }
    if (record !== null && !rows.some(row => row.path === record.path))
      settle(record.path, entityId, Date.parse(record.touched ?? '') || 0)
  }
  for (const there of byPath.values()) there.sort((one, other) => one.since - other.since)
  return (path, time) => {
    const there = byPath.get(path)
    return there?.[Math.max(0, countUntil(there, time) - 1)]?.entityId ?? null
  }
}

/** How many of `stays`, which are in order of time, began at `time` or before. */
function countUntil(stays: readonly { since: number }[], time: number): number {
  let low = 0
  let high = stays.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((stays[middle]?.since ?? 0) <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** When the row took effect by the old clock, in ms: published, else first written; null when it has no time. */
export function timeOf(row: LegacyRow): number | null {
  const instant = row.ended ?? row.started ?? row.touched
  return instant === null ? null : Date.parse(instant)
}

/**
 * From the path of an actor to what the log says of it.
 *
 * An author who is not in the backup gets an id that follows from the path, so that all that author did stays together.
 */
export function actorsOf(
  find: Residents,
  findings: Findings,
): (path: string | null, time: number) => string {
  const missing = new Set<string>()
  return (path, time) => {
    if (path === null) return SYSTEM
    if (path === ROOT || path === NOBODY) return path
    const resident = find(path, time)
    if (resident !== null) return resident
    if (!missing.has(path)) {
      missing.add(path)
      const message = `the author ${path} is not in the backup; the path is kept beside an id`
      warn(spotOf('catalog.json', undefined, findings), 'actor-unknown', message)
    }
    return derivedId('rm3 0.x actor', path)
  }
}
