import type { Policy } from '../content/keep-policy.ts'

/** A backup as far as keeping it is concerned. */
export interface KeepableBackup {
  readonly name: string
  /** When it was made: RFC 3339 in UTC. */
  readonly at: string
  /** Only those of one set are counted together: of one site, one part of it. */
  readonly set: string
  /** Those of which one must be there to load it; [] when it stands alone. */
  readonly parents: readonly string[]
}

/** What becomes of a backup, and why. `reasons` is [] for one that goes. */
export interface Decision {
  readonly name: string
  readonly at: string
  readonly set: string
  readonly keep: boolean
  readonly reasons: readonly string[]
}

/** Periods, each with what names one: natural hours, days, weeks (ISO 8601), months and years, in UTC. */
const PERIODS: readonly [keyof Policy, (at: Date, index: number) => string][] = [
  ['last', (_, index) => String(index)],
  ['hourly', at => at.toISOString().slice(0, 13)],
  ['daily', at => at.toISOString().slice(0, 10)],
  ['weekly', weekOf],
  ['monthly', at => at.toISOString().slice(0, 7)],
  ['yearly', at => at.toISOString().slice(0, 4)],
]

/**
 * Which backups are kept, as `restic forget` decides it: from the newest back, each rule keeps the newest of each period that has one until its
 * count is used up; while it is not, the oldest is kept too. What any rule keeps is kept. Beyond that are kept: the newest of a set, whatever
 * the rules; what a kept one needs; and what says that it is from the future, which counts for nothing.
 *
 * @param policy not empty
 * @param now an instant; RFC 3339
 * @returns newest first, set by set
 */
export function decideRetention(
  backups: readonly KeepableBackup[],
  policy: Policy,
  now: string,
): Decision[] {
  const reasons = new Map<string, string[]>(backups.map(({ name }) => [name, []]))
  const sets = new Set(backups.map(({ set }) => set))
  const ordered: KeepableBackup[] = []
  for (const set of [...sets].sort()) {
    const own = backups.filter(backup => backup.set === set).sort(newestFirst)
    ordered.push(...own)
    const past = own.filter(({ at }) => Date.parse(at) <= Date.parse(now))
    for (const { name } of own.slice(0, own.length - past.length)) {
      reasons.get(name)?.push('from the future')
    }
    applyRules(past, policy, reasons)
    const [newest] = past
    if (newest && reasons.get(newest.name)?.length === 0) reasons.get(newest.name)?.push('newest')
  }
  keepParents(ordered, reasons)
  return ordered.map(({ name, at, set }) => {
    const why = reasons.get(name) ?? []
    return { name, at, set, keep: why.length > 0, reasons: why }
  })
}

function applyRules(
  backups: readonly KeepableBackup[],
  policy: Policy,
  reasons: ReadonlyMap<string, string[]>,
): void {
  for (const [rule, periodOf] of PERIODS) {
    let left = policy[rule]
    let last: string | null = null
    for (const [index, { name, at }] of backups.entries()) {
      if (!(left > 0)) break
      const period = periodOf(new Date(at), index)
      const isOldest = index === backups.length - 1
      if (period === last && !isOldest) continue
      reasons.get(name)?.push(period === last ? `oldest ${rule}` : rule)
      last = period
      left--
    }
  }
}

/** Of those that a kept backup can stand on, one is kept: one that is kept anyway, or else the first. */
function keepParents(
  backups: readonly KeepableBackup[],
  reasons: ReadonlyMap<string, string[]>,
): void {
  const byName = new Map(backups.map(backup => [backup.name, backup]))
  const isKept = (name: string) => (reasons.get(name)?.length ?? 0) > 0
  const waiting = backups.filter(({ name }) => isKept(name))
  for (let backup = waiting.shift(); backup !== undefined; backup = waiting.shift()) {
    const parents = backup.parents.filter(name => byName.has(name))
    const [first] = parents
    if (first === undefined || parents.some(isKept)) continue
    reasons.get(first)?.push(`needed by ${backup.name}`)
    waiting.push(byName.get(first) as KeepableBackup)
  }
}

function newestFirst(one: KeepableBackup, other: KeepableBackup): number {
  const byTime = Date.parse(other.at) - Date.parse(one.at)
  if (byTime !== 0) return byTime
  return one.name < other.name ? 1 : -1
}

const DAY_MS = 86_400_000

/** The ISO week: that of its Thursday, in the year of that Thursday. */
function weekOf(at: Date): string {
  const day = Math.floor(at.getTime() / DAY_MS)
  const monday = day - ((((day + 3) % 7) + 7) % 7)
  return `week ${monday}`
}
