import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { Rm3Error } from '../errors.ts'
import { type Db, one } from '../pg/db.ts'

/** So many tries in so many seconds. */
export interface Limit {
  readonly name: string
  readonly max: number
  readonly seconds: number
}

const COUNT = `insert into rate_limits as r (key, count, until)
  values ($1::text, 1, now() + $2::int * interval '1 second')
  on conflict (key) do update set
    count = case when r.until <= now() then 1 else r.count + 1 end,
    until = case when r.until <= now() then excluded.until else r.until end
  returning count, greatest(1, ceil(extract(epoch from until - now())))::int as seconds`

/**
 * Counts a try, in the database so that all processes count together.
 *
 * @param who what is limited: an address, an account
 * @throws RATE_LIMITED {retryAfterSeconds} past the limit
 */
export async function countTry(db: Db, limit: Limit, who: string): Promise<void> {
  const row = await one<{ count: number; seconds: number }>(db, COUNT, [
    keyOf(limit, who),
    limit.seconds,
  ])
  if (row.count <= limit.max) return
  throw new Rm3Error('RATE_LIMITED', `too many tries; try again in ${row.seconds} seconds`, {
    retryAfterSeconds: row.seconds,
  })
}

/** Forgets the tries that were counted: one was good. */
export async function forgetTries(db: Db, limit: Limit, who: string): Promise<void> {
  await db.rows('delete from rate_limits where key = $1::text', [keyOf(limit, who)])
}

/** Whom an address stands for: itself, or the /64 network of an IPv6 one, all of which one customer has. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  const network = groups.slice(0, 4).map(group => group.replace(/^0+(?=.)/, ''))
  return `${network.join(':')}::/64`
}

/** What callers send is hashed: keys are short, and names of accounts are not kept. */
function keyOf({ name }: Limit, who: string): string {
  return `${name} ${createHash('sha256').update(who).digest('base64url')}`
}
