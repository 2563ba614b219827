import {
  createCipheriv,
  createDecipheriv,
  hkdfSync,
  randomBytes,
  type ScryptOptions,
  scrypt,
} from 'node:crypto'
import { Rm3Error } from '../../errors.ts'
import { damaged } from './damage.ts'
import { base64, fromBase64, type Header, type Stanza } from './header.ts'
import { type Identity, newIdentity, type Recipient, sharedSecret } from './keys.ts'

/** Whom an archive is encrypted for: whoever has the identity of one of the recipients, or knows the pass phrase. */
export type Encryption =
  | { readonly recipients: readonly Recipient[] }
  | { readonly passphrase: string }

/** What may open it. */
export interface Keys {
  readonly identities: readonly Identity[]
  readonly passphrase: string | null
}

const X25519_LABEL = 'age-encryption.org/v1/X25519'
const SCRYPT_LABEL = 'age-encryption.org/v1/scrypt'
export const FILE_KEY_BYTES = 16
const KEY_BYTES = 32
const SHARE_BYTES = 32
const WRAPPED_BYTES = FILE_KEY_BYTES + 16
const SALT_BYTES = 16
/** 2^16 blocks of 1 KB: 64 MB and about 0.2 s. Ten more bits of pass phrase cost an attacker more than ten of these. */
const WORK = 16
/** Others' files may have asked for more; a hostile one must not get all memory. */
const WORK_MAX = 20
const BLOCK = 8
const NONCE = Buffer.alloc(12)
const TAG_BYTES = 16

/** Wraps the key of a file for those who may open it. */
export async function wrapKey(fileKey: Buffer, encryption: Encryption): Promise<Stanza[]> {
  if ('passphrase' in encryption) return [await wrapForPassphrase(fileKey, encryption.passphrase)]
  return encryption.recipients.map(recipient => wrapForRecipient(fileKey, recipient))
}

function wrapForRecipient(fileKey: Buffer, recipient: Recipient): Stanza {
  const once = newIdentity()
  const key = keyBetween(once, recipient, Buffer.concat([once.recipient, recipient]))
  return { type: 'X25519', args: [base64(once.recipient)], body: seal(key, fileKey) }
}

function keyBetween(identity: Identity, other: Recipient, salt: Buffer): Buffer {
  const shared = sharedSecret(identity, other)
  return Buffer.from(hkdfSync('sha256', shared, salt, X25519_LABEL, KEY_BYTES))
}

async function wrapForPassphrase(fileKey: Buffer, passphrase: string): Promise<Stanza> {
  const salt = randomBytes(SALT_BYTES)
  const key = await stretched(passphrase, salt, WORK)
  return { type: 'scrypt', args: [base64(salt), String(WORK)], body: seal(key, fileKey) }
}

function stretched(passphrase: string, salt: Buffer, work: number): Promise<Buffer> {
  const cost = 2 ** work
  const options: ScryptOptions = { N: cost, r: BLOCK, p: 1, maxmem: 2 * 128 * BLOCK * cost }
  return new Promise((resolve, reject) => {
    const label = Buffer.concat([Buffer.from(SCRYPT_LABEL), salt])
    scrypt(passphrase, label, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

function seal(key: Buffer, fileKey: Buffer): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG_BYTES })
  return Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
}

/** @returns null when the key is another */
function unseal(key: Buffer, body: Buffer): Buffer | null {
  const cipher = createDecipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG_BYTES })
  cipher.setAuthTag(body.subarray(FILE_KEY_BYTES))
  try {
    return Buffer.concat([cipher.update(body.subarray(0, FILE_KEY_BYTES)), cipher.final()])
  } catch {
    return null
  }
}

/** The key of a file. @throws WRONG_KEY when none of the keys fits, BACKUP_DAMAGED when the header was changed */
export async function unwrapKey(header: Header, keys: Keys): Promise<Buffer> {
  const byPassphrase = header.stanzas.find(({ type }) => type === 'scrypt')
  const fileKey =
    byPassphrase === undefined
      ? fromRecipients(header.stanzas, keys)
      : await fromPassphrase(header.stanzas, byPassphrase, keys)
  if (fileKey === null) throw wrongKey('none of the keys that were given opens it')
  if (!header.isProved(fileKey)) throw damaged('its header was changed')
  return fileKey
}

function fromRecipients(stanzas: readonly Stanza[], { identities }: Keys): Buffer | null {
  if (identities.length === 0) throw wrongKey('name the file of your identity (--identity FILE)')
  for (const { type, args, body } of stanzas) {
    if (type !== 'X25519') continue
    const share = fromBase64(args[0] ?? '')
    if (args.length !== 1 || share.length !== SHARE_BYTES || body.length !== WRAPPED_BYTES) {
      throw damaged('its header is malformed')
    }
    for (const identity of identities) {
      const key = unseal(keyFrom(identity, share), body)
      if (key !== null) return key
    }
  }
  return null
}

function keyFrom(identity: Identity, share: Buffer): Buffer {
  try {
    return keyBetween(identity, share, Buffer.concat([share, identity.recipient]))
  } catch {
    throw damaged('its header holds no key')
  }
}

async function fromPassphrase(
  stanzas: readonly Stanza[],
  { args, body }: Stanza,
  { passphrase }: Keys,
): Promise<Buffer | null> {
  if (passphrase === null) {
    throw wrongKey('it was encrypted with a pass phrase (--passphrase-file FILE)')
  }
  const [salt = '', work = ''] = args
  const isWhole =
    stanzas.length === 1 && args.length === 2 && /^[1-9]\d?$/.test(work) && Number(work) <= WORK_MAX
  const bytes = fromBase64(salt)
  if (!isWhole || bytes.length !== SALT_BYTES || body.length !== WRAPPED_BYTES) {
    throw damaged('its header is malformed')
  }
  return unseal(await stretched(passphrase, bytes, Number(work)), body)
}

function wrongKey(text: string): Rm3Error {
  return new Rm3Error('WRONG_KEY', `the archive is encrypted: ${text}`)
}
