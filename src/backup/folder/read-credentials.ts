import { isInstant } from '../../log/check-entry.ts'
import { objectIn } from './read-history.ts'
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

/** The secrets in the text of `credentials.json`, one to a line. @throws FileFault record-shape, json */
export function readCredentials(text: string): CredentialLine[] {
  const lines = text.split('\n')
  if (lines[0] !== '[' || lines.at(-1) !== ']') {
    throw new FileFault('record-shape', 'it is no list with one secret to a line')
  }
  return lines.slice(1, -1).map((line, index) => {
    const place = `line ${index + 2}`
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
    return { credential, userId, created, secret: providerDetails, line: index + 2 }
  })
}
