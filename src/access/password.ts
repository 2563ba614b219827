import {
  pbkdf2,
  randomBytes,
  randomInt,
  type ScryptOptions,
  scrypt,
  timingSafeEqual,
} from 'node:crypto'
import { promisify } from 'node:util'
import { PASSWORD_MAX } from '../content/limits.ts'
import { Rm3Error } from '../errors.ts'
import { inTurn } from './hash-queue.ts'

/** One of the settings OWASP's Password Storage Cheat Sheet counts as equal; this one takes 32 MB a hash. */
const COST = { logN: 15, r: 8, p: 3 } as const
const HASH_BYTES = 32
const SALT_BYTES = 16
const SCRYPT =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{43})$/
/** Bounds of stored parameters: what is stored must not be able to stop the server. */
const LOG_N_MAX = 18
const R_MAX = 16
const P_MAX = 16
/** Of scrypt: 128 MB a hash, and five times the work of ours. */
const BLOCKS_MAX = 2 ** 20
const STEPS_MAX = 2 ** 22
/** rm3 0.x doubles its iterations every two years; it would get here in 2026. */
const PBKDF2_ITERATIONS_MAX = 10_000_000
const PBKDF2_BYTES_MAX = 1024
const NO_SALT = Buffer.alloc(SALT_BYTES)
/** Without characters that look alike: 31, so that 20 of them are 99 bits. */
const READABLE = 'abcdefghjkmnpqrstuvwxyz23456789'

const derive: (
  password: string,
  salt: Buffer,
  bytes: number,
  options: ScryptOptions,
) => Promise<Buffer> = promisify(scrypt)
const derivePbkdf2 = promisify(pbkdf2)

interface Scrypt {
  readonly type: 'scrypt'
  readonly logN: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly hash: Buffer
}

interface Pbkdf2 {
  readonly type: 'pbkdf2'
  readonly iterations: number
  readonly salt: string
  readonly hash: Buffer
}

/**
 * What to store of a password: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>` (base64 without padding).
 *
 * Takes about 0.2 s of a thread and 32 MB; a few run at a time and a few wait.
 *
 * @throws PASSWORD_INVALID when it is empty, longer than 1024 characters, or has a NUL or half a surrogate pair
 * @throws RATE_LIMITED when too many wait already
 */
export async function hashPassword(password: string): Promise<string> {
  if (!isPassword(password)) {
    const length = password.length
    throw new Rm3Error(
      'PASSWORD_INVALID',
      length === 0 || length > PASSWORD_MAX
        ? `A password has 1 to ${PASSWORD_MAX} characters; this one has ${length}.`
        : 'The password has a character that cannot be kept.',
      { length },
    )
  }
  const salt = randomBytes(SALT_BYTES)
  const hash = await deriveScrypt(password, { ...COST, salt })
  return `$scrypt$ln=${COST.logN},r=${COST.r},p=${COST.p}$${unpadded(salt)}$${unpadded(hash)}`
}

/**
 * Whether `password` is the one that was stored.
 *
 * @param stored what `hashPassword` made, or the JSON of rm3 0.x: `{"hashMethod":"pbkdf2", …}`, also when it is once
 *   more encoded as a JSON string. What cannot be read is no password's.
 * @returns `rehash`: it is right, and should be stored anew because it was hashed in an older way
 * @throws RATE_LIMITED when too many wait already
 */
export async function verifyPassword(
  password: string,
  stored: string,
): Promise<{ ok: boolean; rehash: boolean }> {
  if (!isPassword(password)) return { ok: false, rehash: false }
  const wanted = readScrypt(stored) ?? readPbkdf2(stored)
  if (wanted === null) {
    await verifyNothing(password)
    return { ok: false, rehash: false }
  }
  const hash =
    wanted.type === 'scrypt'
      ? await deriveScrypt(password, wanted)
      : await inTurn(() =>
          derivePbkdf2(password, wanted.salt, wanted.iterations, wanted.hash.length, 'sha1'),
        )
  const ok = timingSafeEqual(hash, wanted.hash)
  return { ok, rehash: ok && !isCurrent(wanted) }
}

/**
 * Takes as long as verifying a password, for users that do not exist.
 *
 * @throws RATE_LIMITED when too many wait already
 */
export async function verifyNothing(password = ''): Promise<void> {
  if (password === '' || isPassword(password))
    await deriveScrypt(password, { ...COST, salt: NO_SALT })
}

/** A password to be shown once: four groups of five letters and digits, 99 bits. */
export function newPassword(): string {
  const group = () => Array.from({ length: 5 }, () => READABLE[randomInt(READABLE.length)]).join('')
  return [group(), group(), group(), group()].join('-')
}

function isPassword(password: string): boolean {
  const { length } = password
  return length > 0 && length <= PASSWORD_MAX && !/\0|\p{Surrogate}/u.test(password)
}

/** Composed first, so that the same password typed on another system is the same bytes. */
function deriveScrypt(
  password: string,
  { logN, r, p, salt }: Omit<Scrypt, 'type' | 'hash'>,
): Promise<Buffer> {
  const N = 2 ** logN
  const options = { N, r, p, maxmem: 256 * r * (N + p) }
  return inTurn(() => derive(password.normalize('NFC'), salt, HASH_BYTES, options))
}

function readScrypt(stored: string): Scrypt | null {
  const [, logN, r, p, salt, hash] = SCRYPT.exec(stored) ?? []
  if (salt === undefined || hash === undefined) return null
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) }
  const sane = cost.logN > 0 && cost.logN <= LOG_N_MAX && cost.r > 0 && cost.r <= R_MAX
  if (!sane || cost.p === 0 || cost.p > P_MAX) return null
  const blocks = 2 ** cost.logN * cost.r
  if (blocks > BLOCKS_MAX || blocks * cost.p > STEPS_MAX) return null
  const [saltBytes, hashBytes] = [Buffer.from(salt, 'base64'), Buffer.from(hash, 'base64')]
  return { type: 'scrypt', ...cost, salt: saltBytes, hash: hashBytes }
}

/** The salt of rm3 0.x is its text as it stands, not the bytes that the text encodes. */
function readPbkdf2(stored: string): Pbkdf2 | null {
  const details = readJson(stored)
  if (details === null || !('hash' in details) || !('salt' in details)) return null
  const { hash, salt, hashMethod, keyLength, iterations } = details as Record<string, unknown>
  if (hashMethod !== 'pbkdf2' || typeof hash !== 'string' || typeof salt !== 'string') return null
  if (!isCount(iterations, PBKDF2_ITERATIONS_MAX) || !isCount(keyLength, PBKDF2_BYTES_MAX))
    return null
  const bytes = Buffer.from(hash, 'base64')
  if (bytes.length !== keyLength || keyLength < SALT_BYTES || salt === '') return null
  return { type: 'pbkdf2', iterations, salt, hash: bytes }
}

function readJson(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    const inner: unknown = typeof value === 'string' ? JSON.parse(value) : value
    return typeof inner === 'object' ? inner : null
  } catch {
    return null
  }
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= max
}

function isCurrent(wanted: Scrypt | Pbkdf2): boolean {
  if (wanted.type === 'pbkdf2') return false
  return wanted.logN === COST.logN && wanted.r === COST.r && wanted.p === COST.p
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
