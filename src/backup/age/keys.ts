import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { Rm3Error } from '../../errors.ts'
import { fromBech32 } from './bech32.ts'

/** What a file is encrypted to: 32 bytes of an X25519 public key. */
export type Recipient = Buffer

/** What opens what was encrypted to its recipient. */
export interface Identity {
  readonly recipient: Recipient
  readonly secret: KeyObject
}

const KEY_BYTES = 32
/** What stands before the 32 bytes in DER (RFC 8410). */
const PUBLIC_DER = Buffer.from('302a300506032b656e032100', 'hex')
const SECRET_DER = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** @param text `age1…`, as age-keygen prints it @throws KEY_INVALID */
export function parseRecipient(text: string): Recipient {
  const bytes = fromBech32(text.trim(), 'age')
  if (bytes?.length === KEY_BYTES) return bytes
  throw new Rm3Error('KEY_INVALID', `"${text.slice(0, 80)}" is no recipient of age (age1…)`)
}

/**
 * The identities in a file as age-keygen writes it: one a line, empty lines and those that begin with # left out.
 *
 * @throws KEY_INVALID; it does not show what the line holds
 */
export function parseIdentities(text: string): Identity[] {
  const lines = text.split(/\r?\n/).map(line => line.trim())
  const identities = lines.flatMap((line, index) => {
    if (line === '' || line.startsWith('#')) return []
    const bytes = fromBech32(line, 'age-secret-key-')
    if (bytes?.length === KEY_BYTES) return identityOf(bytes)
    throw new Rm3Error('KEY_INVALID', `line ${index + 1} is no identity of age (AGE-SECRET-KEY-1…)`)
  })
  if (identities.length > 0) return identities
  throw new Rm3Error('KEY_INVALID', 'there is no identity of age in the file')
}

function identityOf(bytes: Buffer): Identity {
  const der = Buffer.concat([SECRET_DER, bytes])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return { recipient: rawOf(createPublicKey(secret)), secret }
}

/** A key pair for one use. */
export function newIdentity(): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  return { recipient: rawOf(publicKey), secret: privateKey }
}

/** What both ends of an exchange know. @throws an Error for a point of low order, of which everybody would know it */
export function sharedSecret({ secret }: Identity, other: Recipient): Buffer {
  const der = Buffer.concat([PUBLIC_DER, other])
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return diffieHellman({ privateKey: secret, publicKey })
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length)
}
