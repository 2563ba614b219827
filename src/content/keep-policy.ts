import type { Json } from '../codec/json.ts'

/** How many backups are kept, of each kind of period one: the newest in it. 0 is none, Infinity all. */
export interface Policy {
  readonly last: number
  readonly hourly: number
  readonly daily: number
  readonly weekly: number
  readonly monthly: number
  readonly yearly: number
}

export const NO_POLICY: Policy = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 }

/** Whether a policy would keep nothing at all: then it is none. */
export function isEmptyPolicy(policy: Policy): boolean {
  return Object.values(policy).every(count => !(count > 0))
}

/** The policy that a setting says: numbers by rule, or `"unlimited"`, such as `{"daily": 7, "yearly": "unlimited"}`; null when it is none. */
export function findPolicy(value: Json): Policy | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const counts = Object.entries(value).map(([rule, count]) => [
    rule,
    count === 'unlimited' ? Number.POSITIVE_INFINITY : count,
  ])
  const isSound = counts.every(
    ([rule, count]) =>
      Object.hasOwn(NO_POLICY, String(rule)) && typeof count === 'number' && count >= 0,
  )
  const policy: Policy = { ...NO_POLICY, ...Object.fromEntries(counts) }
  return isSound && !isEmptyPolicy(policy) ? policy : null
}

const FULL_EVERY_MAX = 1_000

/** Whether a setting says of how many archives one is whole: from 1, which is every one. */
export function isFullEvery(value: Json): value is number {
  return (
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= FULL_EVERY_MAX
  )
}
