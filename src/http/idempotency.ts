import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { derivedId } from '../commands/derived-id.ts'
import { IDEMPOTENCY_HOURS } from '../content/limits.ts'
import { Rm3Error } from '../errors.ts'
import { type Db, find, one } from '../pg/db.ts'

/** An Idempotency-Key that a request holds until its answer is kept. */
export interface Claim {
  readonly actor: string
  readonly key: string
  /** Id of the n-th event of the request, from 0: the same each time the request is sent. */
  eventId(index: number): string
}

/** An answer as it was given. */
export interface KeptAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const KEY = /^[\x21-\x7e]{1,200}$/
/** A claim without an answer is taken over after this: whoever held it is dead. */
const HELD_SECONDS = 60

/** The key of a request, checked. @throws REQUEST_INVALID */
export function idempotencyKeyOf(request: FastifyRequest): string | null {
  const header = request.headers['idempotency-key']
  if (header === undefined) return null
  if (typeof header === 'string' && KEY.test(header)) return header
  throw new Rm3Error(
    'REQUEST_INVALID',
    'Idempotency-Key is 1 to 200 visible ASCII characters, once',
    { header: 'Idempotency-Key' },
  )
}

const INSERT = `insert into idempotency_keys as k (actor, key, request) values ($1::text, $2::text, $3::bytea)
  on conflict (actor, key) do update set request = excluded.request, status = null, headers = null, body = null, created = now()
  where k.created < now() - ${IDEMPOTENCY_HOURS} * interval '1 hour'
    or k.status is null and k.request = excluded.request and k.created < now() - ${HELD_SECONDS} * interval '1 second'
  returning true as held`
const KNOWN = `select request, status, headers, body from idempotency_keys where actor = $1::text and key = $2::text`

interface KnownRow {
  readonly request: Buffer
  readonly status: number | null
  readonly headers: Record<string, string>
  readonly body: string
}

/**
 * Takes a key for a request, or finds the answer that was given under it.
 *
 * @param digest what makes two requests the same (`digestOf`)
 * @throws IDEMPOTENCY_KEY_REUSED for another request, IDEMPOTENCY_KEY_BUSY while the first one is under way
 */
export async function claimKey(
  db: Db,
  who: { actor: string; key: string },
  digest: Buffer,
): Promise<Claim | KeptAnswer> {
  const { actor, key } = who
  const held = await find<{ held: boolean }>(db, INSERT, [actor, key, digest])
  if (held) return { actor, key, eventId: index => derivedId(actor, key, String(index), digest) }
  const { request, status, headers, body } = await one<KnownRow>(db, KNOWN, [actor, key])
  if (!request.equals(digest)) {
    throw new Rm3Error(
      'IDEMPOTENCY_KEY_REUSED',
      'the Idempotency-Key was used for another request; make a new one',
    )
  }
  if (status !== null) return { status, headers, body }
  throw new Rm3Error(
    'IDEMPOTENCY_KEY_BUSY',
    'the first request with this Idempotency-Key is still being worked on',
    { retryAfterSeconds: 1 },
  )
}

const KEEP = `update idempotency_keys set status = $3::int, headers = $4::json, body = $5::text
  where actor = $1::text and key = $2::text`

/** Keeps the answer of a request, for the same request sent again. */
export async function keepAnswer(db: Db, claim: Claim, answer: KeptAnswer): Promise<void> {
  const { actor, key } = claim
  await db.rows(KEEP, [actor, key, answer.status, JSON.stringify(answer.headers), answer.body])
}

/** Gives a key back: the request failed on our side and may be sent again. */
export async function releaseKey(db: Db, { actor, key }: Claim): Promise<void> {
  await db.rows(
    'delete from idempotency_keys where actor = $1::text and key = $2::text and status is null',
    [actor, key],
  )
}

const MEANINGFUL = ['content-type', 'if-match', 'rm3-note', 'rm3-draft', 'rm3-minor'] as const

/** SHA-256 over all of a request that decides what it does. */
export function digestOf(request: FastifyRequest): Buffer {
  const hash = createHash('sha256').update(`${request.method} ${request.url}\n`)
  for (const name of MEANINGFUL) hash.update(`${String(request.headers[name] ?? '')}\n`)
  return hash.update(request.rawBody ?? '').digest()
}
