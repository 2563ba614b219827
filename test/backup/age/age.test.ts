import {
  Decrypter,
  generateX25519Identity,
  identityToRecipient,
  Encrypter as TheirEncrypter,
} from 'age-encryption'
import { parseIdentities, parseRecipient } from '../../../src/backup/age/keys.ts'
import { decrypted, Encrypter, isAge } from '../../../src/backup/age/stream.ts'
import type { Encryption, Keys } from '../../../src/backup/age/wrap.ts'
import { assert, suite } from '../../harness.ts'
import { refused } from '../../support/refused.ts'
import { randomOf } from '../../torture/random.ts'

const CHUNK = 64 * 1024
const SIZES = [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17]
const PASSPHRASE = 'a pass phrase of some words – and é'
const NOBODY: Keys = { identities: [], passphrase: null }

const secret = await generateX25519Identity()
const recipient = await identityToRecipient(secret)
const mine: Keys = { identities: parseIdentities(`# mine\n\n${secret}\n`), passphrase: null }
const for1: Encryption = { recipients: [parseRecipient(recipient)] }

suite('the format of age', test => {
  for (const size of SIZES) {
    test(`${size} bytes come back, also through the library of age's author, in both directions`, async () => {
      const bytes = bytesOf(size)
      const ours = await encrypted(bytes, for1)
      const theirs = await theirEncrypter().encrypt(bytes)

      assert.ok(isAge(ours))
      assert.ok((await opened(ours, mine)).equals(bytes))
      assert.ok((await opened(theirs, mine)).equals(bytes))
      assert.ok(Buffer.from(await theirDecrypter().decrypt(ours)).equals(bytes))
    })
  }

  test('a pass phrase opens what was encrypted with it, also through that library', async () => {
    const bytes = bytesOf(100)
    const ours = await encrypted(bytes, { passphrase: PASSPHRASE })
    const their = new TheirEncrypter()
    their.setPassphrase(PASSPHRASE)
    their.setScryptWorkFactor(12)
    const decrypter = new Decrypter()
    decrypter.addPassphrase(PASSPHRASE)
    const keys = { identities: [], passphrase: PASSPHRASE }

    assert.ok((await opened(await their.encrypt(bytes), keys)).equals(bytes))
    assert.ok((await opened(ours, keys)).equals(bytes))
    assert.ok(Buffer.from(await decrypter.decrypt(ours)).equals(bytes))
  })

  test('each of several recipients can open it, whatever others there are', async () => {
    const other = await generateX25519Identity()
    const theirs = theirEncrypter()
    theirs.addRecipient(await identityToRecipient(other))
    const keys = { identities: parseIdentities(other), passphrase: null }

    for (const file of [
      await theirs.encrypt(bytesOf(10)),
      await encrypted(bytesOf(10), {
        recipients: [parseRecipient(recipient), parseRecipient(await identityToRecipient(other))],
      }),
    ]) {
      assert.ok((await opened(file, keys)).equals(bytesOf(10)))
      assert.ok((await opened(file, mine)).equals(bytesOf(10)))
    }
  })

  test('another key, another pass phrase or none opens nothing, and says so', async () => {
    const other = {
      identities: parseIdentities(await generateX25519Identity()),
      passphrase: 'wrong',
    }
    const forKey = await encrypted(bytesOf(10), for1)
    const forPhrase = await encrypted(bytesOf(10), { passphrase: PASSPHRASE })

    for (const [file, keys] of [
      [forKey, other],
      [forKey, NOBODY],
      [forPhrase, other],
      [forPhrase, mine],
    ] as const) {
      assert.is((await refused(opened(file, keys))).code, 'WRONG_KEY')
    }
  })

  test('every byte that is changed, left out or added is found', async () => {
    const bytes = bytesOf(2 * CHUNK + 100)
    const file = await encrypted(bytes, for1)
    const numbers = randomOf(11)
    for (let run = 0; run < 150; run++) {
      const at = run < 40 ? numbers.below(250) : numbers.below(file.length)
      const damaged = Buffer.from(file)
      if (run % 3 === 0) damaged[at] = (damaged[at] ?? 0) ^ (1 << numbers.below(8))
      const cut = run % 3 === 1 ? damaged.subarray(0, at) : damaged
      const made = run % 3 === 2 ? Buffer.concat([cut, bytesOf(1 + numbers.below(CHUNK))]) : cut

      const { code } = await refused(opened(made, mine))
      assert.ok(code === 'BACKUP_DAMAGED' || code === 'WRONG_KEY', `${run}: ${code}`)
    }
  })

  test('chunks that are swapped, doubled or left out are found, and the place is named', async () => {
    const file = await encrypted(bytesOf(4 * CHUNK), for1)
    const sealed = CHUNK + 16
    const start = file.length - 4 * sealed
    const chunks = [0, 1, 2, 3].map(n =>
      file.subarray(start + n * sealed, start + (n + 1) * sealed),
    ) as [Buffer, Buffer, Buffer, Buffer]
    const [first, second, third, last] = chunks
    for (const [order, chunk] of [
      [[first, third, second, last], 2],
      [[first, first, second, third, last], 2],
      [[first, second, last], 3],
      [[first, second, third], 3],
      [[last], 1],
    ] as const) {
      const made = Buffer.concat([file.subarray(0, start), ...order])
      const { code, message } = await refused(opened(made, mine))
      assert.is(code, 'BACKUP_DAMAGED')
      const place = `chunk ${chunk}, which begins at byte ${start + (chunk - 1) * sealed}`
      assert.ok(message.includes(place), message)
    }
  })

  test('what is no key is refused, and a secret is not shown', async () => {
    for (const text of ['', 'age1', recipient.slice(0, -1), recipient.replace('a', 'b'), secret]) {
      assert.throws(
        () => parseRecipient(text),
        (thrown: { code: string }) => thrown.code === 'KEY_INVALID',
      )
    }
    for (const text of ['', '# nothing', recipient, `${secret}A`, `a${secret.slice(1)}`]) {
      assert.throws(
        () => parseIdentities(text),
        (thrown: Error & { code: string }) =>
          thrown.code === 'KEY_INVALID' && !thrown.message.includes(secret.slice(20, 40)),
      )
    }
  })

  test('a hostile header takes neither memory nor time', async () => {
    const file = (await encrypted(bytesOf(10), { passphrase: PASSPHRASE })).toString('latin1')
    const keys = { identities: [], passphrase: PASSPHRASE }
    const endless = (async function* () {
      yield Buffer.from('age-encryption.org/v1\n')
      for (;;) yield Buffer.alloc(CHUNK, 'a')
    })()

    const greedy = Buffer.from(file.replace(/(-> scrypt \S+) 16/, '$1 40'), 'latin1')
    assert.is((await refused(opened(greedy, keys))).code, 'BACKUP_DAMAGED')
    assert.is((await refused(openedFrom(endless, keys))).code, 'BACKUP_DAMAGED')
  })
})

function theirEncrypter(): TheirEncrypter {
  const encrypter = new TheirEncrypter()
  encrypter.addRecipient(recipient)
  return encrypter
}

function theirDecrypter(): Decrypter {
  const decrypter = new Decrypter()
  decrypter.addIdentity(secret)
  return decrypter
}

function bytesOf(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 255))
}

/** In pieces of odd sizes. */
async function encrypted(bytes: Buffer, encryption: Encryption): Promise<Buffer> {
  const encrypter = await Encrypter.begin(encryption)
  const parts = [encrypter.start]
  for (let from = 0; from < bytes.length; from += 70_001) {
    parts.push(...encrypter.add(bytes.subarray(from, from + 70_001)))
  }
  return Buffer.concat([...parts, encrypter.end()])
}

function opened(file: Uint8Array, keys: Keys): Promise<Buffer> {
  return openedFrom(piecesOf(Buffer.from(file)), keys)
}

async function openedFrom(source: AsyncIterable<Uint8Array>, keys: Keys): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of decrypted(source, keys)) parts.push(part)
  return Buffer.concat(parts)
}

async function* piecesOf(bytes: Buffer) {
  for (let from = 0; from < bytes.length; from += 30_011) yield bytes.subarray(from, from + 30_011)
}
