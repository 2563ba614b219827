import type { JsonObject } from '../../codec/json.ts'
import { isRm3Error } from '../../errors.ts'
import { findText, isObject, itemsAt, objectAt, textAt } from './fields.ts'
import { parseSource } from './files.ts'
import { refuse, type Spot, spotIn, warn } from './findings.ts'
import { derivedId } from './ids.ts'
import { withoutEmpty } from './kept.ts'
import { type Origin, type Step, synthesised } from './plan.ts'
import type { LegacyRecord } from './record.ts'

/**
 * A secret for the table of credentials; it never stands in an event.
 *
 * `details` of provider 'password' is `{hash, salt, keyLength, hashMethod: 'pbkdf2', iterations}`: PBKDF2-HMAC-SHA1
 * over the *text* of `salt`, base64. Of other providers it is what the backup has.
 */
export interface LegacyCredential {
  /** As in the event `CredentialSet`. */
  readonly credential: string
  /** The user's entity. */
  readonly user: string
  readonly provider: string
  /** The user id of the old system: for a password the e-mail address or login name. */
  readonly label: string
  readonly details: JsonObject
  readonly eventId: string
  readonly at: string
}

/** More would let a backup keep the server busy at each login. */
export const ITERATIONS_MAX = 10_000_000
export const KEY_BYTES_MAX = 128
const CREDENTIALS_MAX = 1_000_000
const SECRET_CHARS_MAX = 1024
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Credentials and their events, by the stream of the user they are of. */
export interface ToldCredentials {
  readonly credentials: readonly LegacyCredential[]
  readonly steps: ReadonlyMap<string, readonly Step[]>
}

/** Reads the content of `credentials.json`. Credentials of users who are not in the backup are left, with a warning. */
export function tellCredentials(
  spot: Spot,
  records: readonly LegacyRecord[],
  origin: Origin,
): ToldCredentials {
  const users = new Map(records.map(record => [record.path, record]))
  const credentials: LegacyCredential[] = []
  const steps = new Map<string, Step[]>()
  const seen = new Set<string>()
  const items = itemsAt(spot)
  if (items.length > CREDENTIALS_MAX) refuse(spot, 'too-many-items', `more than ${CREDENTIALS_MAX}`)
  for (const item of items.slice(0, CREDENTIALS_MAX)) {
    const provider = textAt(spotIn(item, 'provider'))
    const label = textAt(spotIn(item, 'userId'))
    if (seen.has(`${provider} ${label}`))
      refuse(item, 'duplicate-id', 'a second credential of the same provider and user id')
    seen.add(`${provider} ${label}`)
    const details = detailsAt(item)
    if (provider === 'password') checkPassword(item, details)
    const path = textAt(spotIn(item, 'userPath'))
    const user = users.get(path)
    if (user === undefined || user.content === null) {
      warn(spotIn(item, 'userPath'), 'user-unknown', 'the user is not here; left out')
      continue
    }
    const made = stepOf(item, { user: user.entityId, provider, label }, origin)
    const own = steps.get(user.entityId)
    if (own === undefined) steps.set(user.entityId, [made.step])
    else own.push(made.step)
    credentials.push({ ...made.credential, details })
  }
  return { credentials, steps }
}

function stepOf(item: Spot, of: { user: string; provider: string; label: string }, origin: Origin) {
  const { user, provider, label } = of
  const credential = derivedId('rm3 0.x credential', user, provider, label)
  const eventId = derivedId('rm3 0.x credential set', origin.identity, user, provider, label)
  const at = origin.dumpedAt
  const { identityId } = objectAt(item)
  const kept = withoutEmpty({
    file: item.file,
    place: item.tokens.join('/'),
    userPath: findText(spotIn(item, 'userPath')),
    identityId,
  })
  const data = { credential, provider, label }
  const fact = { type: 'CredentialSet', stream: user, data } as const
  const step = synthesised(origin, { fact, eventId, at, kept }, 'held at the backup')
  return { step, credential: { credential, user, provider, label, eventId, at } }
}

/** rm3 0.x writes an object, or for passwords a text that holds one. */
function detailsAt(item: Spot): JsonObject {
  const spot = spotIn(item, 'providerDetails')
  if (isObject(spot.value)) return spot.value
  const text = textAt(spot)
  if (text === '') return {}
  try {
    const value = parseSource(text, item.file)
    if (isObject(value)) return value
  } catch (thrown) {
    if (!isRm3Error(thrown, 'SOURCE_DAMAGED')) throw thrown
  }
  refuse(spot, 'json', 'the text is not the JSON of an object')
  return {}
}

function checkPassword(item: Spot, details: JsonObject): void {
  const spot = { ...spotIn(item, 'providerDetails'), value: details }
  for (const key of ['hash', 'salt']) {
    const text = textAt(spotIn(spot, key))
    if (text.length > SECRET_CHARS_MAX) refuse(spotIn(spot, key), 'too-large', 'too long')
  }
  const hash = details['hash']
  if (typeof hash === 'string' && hash !== '' && !BASE64.test(hash))
    refuse(spotIn(spot, 'hash'), 'base64', 'this is not base64')
  if (details['hashMethod'] !== 'pbkdf2')
    refuse(spotIn(spot, 'hashMethod'), 'hash-method', 'only pbkdf2 is known')
  checkCost(spotIn(spot, 'iterations'), ITERATIONS_MAX)
  checkCost(spotIn(spot, 'keyLength'), KEY_BYTES_MAX)
}

function checkCost(spot: Spot, max: number): void {
  const value = Number(spot.value)
  if (typeof spot.value === 'number' && Number.isInteger(value) && value >= 1 && value <= max)
    return
  refuse(spot, 'cost', `a whole number from 1 to ${max} is expected`)
}
