import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseIdentities, parseRecipient } from '../backup/age/keys.ts'
import type { Encryption, Keys } from '../backup/age/wrap.ts'
import { Rm3Error } from '../errors.ts'
import type { Call, Option } from './command.ts'

const PASSPHRASE: Option = {
  value: 'FILE',
  summary: 'the pass phrase is the first line of this file',
}

/** Options of commands that write archives. */
export const WRITING_KEYS: Readonly<Record<string, Option>> = {
  recipient: {
    value: 'AGE_KEY',
    summary: 'encrypts for who has the identity of this recipient (age1…)',
    repeated: true,
  },
  'passphrase-file': {
    ...PASSPHRASE,
    summary: 'encrypts with a pass phrase: the first line of this file',
  },
}

/** Options of commands that read archives. */
export const READING_KEYS: Readonly<Record<string, Option>> = {
  identity: {
    value: 'FILE',
    summary: 'opens encrypted archives with the identities in this file, as age-keygen writes it',
    repeated: true,
  },
  'passphrase-file': {
    ...PASSPHRASE,
    summary: 'opens encrypted archives with a pass phrase: the first line of this file',
  },
}

/** What an archive is to be encrypted with. @throws USAGE, KEY_INVALID, SOURCE_NOT_FOUND */
export async function encryptionOf(call: Call): Promise<Encryption | undefined> {
  const recipients = call.options('recipient').map(parseRecipient)
  const passphrase = await passphraseOf(call)
  if (recipients.length > 0 && passphrase !== null) {
    throw new Rm3Error('USAGE', 'encrypt for recipients or with a pass phrase, not both')
  }
  if (passphrase !== null) return { passphrase }
  return recipients.length > 0 ? { recipients } : undefined
}

/** What encrypted archives may be opened with. @throws KEY_INVALID, SOURCE_NOT_FOUND */
export async function keysOf(call: Call): Promise<Keys> {
  const files = call.options('identity')
  const texts = await Promise.all(files.map(file => readText(call, file)))
  return { identities: texts.flatMap(parseIdentities), passphrase: await passphraseOf(call) }
}

async function passphraseOf(call: Call): Promise<string | null> {
  const file = call.option('passphrase-file')
  if (file === null) return null
  const [line = ''] = (await readText(call, file)).split(/\r?\n/)
  if (line === '') throw new Rm3Error('KEY_INVALID', `the first line of ${file} is empty`, { file })
  return line
}

async function readText(call: Call, file: string): Promise<string> {
  return readFile(resolve(call.terminal.cwd, file), 'utf8').catch(cause => {
    throw new Rm3Error('SOURCE_NOT_FOUND', `${file} cannot be read: ${String(cause.code)}`, {
      file,
      cause,
    })
  })
}
