import { isInstant } from '../../log/check-entry.ts'
import { CREDENTIALS } from './format.ts'
import { linesOf, objectIn } from './read-history.ts'
import { FileFault } from './rules.ts'

/** A secret as `credentials.json` has it, and its line. */
export interface CredentialLine {
  readonly credential: string
  readonly userId: string
  readonly secret: string
  readonly created: string
  readonly line: number
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const SECRET_CHARS_MAX = 65_536
const LINE_BYTES_MAX = 1024 * 1024

/** The secrets in `credentials.json`, one to a line. @throws FileFault record-shape, json */
export function* readCredentials(dir: string): Iterable<CredentialLine> {
  let number = 0
  let last = ''
  for (const line of linesOf(dir, CREDENTIALS, LINE_BYTES_MAX)) {
    if (number > 1) yield secretIn(last, number)
    else if (number === 1 && last !== '[') break
    last = line
    number++
  }
  if (number < 2 || last !== ']') {
    throw new FileFault('record-shape', 'it is no list with one secret to a line')
  }
}

function secretIn(line: string, number: number): CredentialLine {
  const place = `line ${number}`
  const { credential, userId, created, providerDetails } = objectIn(line.replace(/,$/, ''), place)
  const isSound =
    typeof credential === 'string' &&
    UUID.test(credential) &&
    typeof userId === 'string' &&
    UUID.test(userId) &&
    typeof created === 'string' &&
    isInstant(created) &&
    typeof providerDetails === 'string' &&
    providerDetails.length <= SECRET_CHARS_MAX
  if (!isSound) throw new FileFault('record-shape', `${place} is no secret`, place)
  return { credential, userId, created, secret: providerDetails, line: number }
}
