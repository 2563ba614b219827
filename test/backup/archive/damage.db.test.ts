import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { parseIdentities, parseRecipient } from '../../../src/backup/age/keys.ts'
import type { Keys } from '../../../src/backup/age/wrap.ts'
import { MAGIC } from '../../../src/backup/archive/frames.ts'
import { verifyArchive } from '../../../src/backup/archive/verify.ts'
import { type BlobStores, putBlob } from '../../../src/blobs/store.ts'
import { addUser, recordPassword } from '../../../src/commands/accounts.ts'
import { attachBlob } from '../../../src/commands/blobs.ts'
import { change } from '../../../src/commands/change.ts'
import { createPage } from '../../../src/commands/pages.ts'
import { readHead } from '../../../src/log/read.ts'
import { openSite } from '../../../src/open-site.ts'
import { assert, suite } from '../../harness.ts'
import {
  archiveOf,
  framesOf,
  loadInto,
  NO_KEYS,
  piecesOf,
  tempStores,
} from '../../support/archives.ts'
import {
  AS_ROOT,
  TEST_SITE,
  type TestSite,
  testDatabase,
  testSite,
} from '../../support/database.ts'
import { refused } from '../../support/refused.ts'
import { type Random, randomOf } from '../../torture/random.ts'

/** More for a longer run: RM3_TEST_DAMAGES=2000. */
const DAMAGES = Number(process.env['RM3_TEST_DAMAGES'] ?? 240)
const SEED = Number(process.env['RM3_DAMAGE_SEED'] ?? 5)
const DEADLINE_MS = 60_000 + DAMAGES * 100
const SECRET = await generateX25519Identity()
const RECIPIENT = await identityToRecipient(SECRET)
const MINE: Keys = { identities: parseIdentities(SECRET), passphrase: null }

let from: TestSite
let stores: Awaited<ReturnType<typeof tempStores>>
let plain: Buffer
let other: Buffer
let encrypted: Buffer

suite('damage to archives', test => {
  test.before(async () => {
    from = await testSite()
    stores = await tempStores()
    await writeSite()
    other = (await archiveOf(from.url, stores)).bytes
    await change(from.site, AS_ROOT, it => createPage(it, { path: 'wh.more', document: DOCUMENT }))
    plain = (await archiveOf(from.url, stores)).bytes
    const encryption = { recipients: [parseRecipient(RECIPIENT)] }
    encrypted = (await archiveOf(from.url, stores, { encryption })).bytes
  })
  test.after(async () => {
    await from.close()
    await stores.remove()
  })

  test('whole ones verify, in pieces of any size', async () => {
    for (const pieces of [1_000, 64 * 1024, plain.length]) {
      const verified = await verifyArchive(piecesOf(plain, pieces), NO_KEYS)
      assert.equal([verified.blobs, verified.secrets], [3, 1])
    }
    await verifyArchive(piecesOf(encrypted), MINE)
  })

  test(
    'of every kind is found, and the place is named',
    async () => {
      const random = randomOf(SEED)
      for (let run = 0; run < DAMAGES; run++) {
        const { title, bytes } = damaged(plain, other, random)
        const { code, message } = await refused(verifyArchive(piecesOf(bytes), NO_KEYS))
        const where = `run ${run} of seed ${SEED}: ${title}: ${code}: ${message}`
        if (bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
          assert.is(code, 'BACKUP_DAMAGED', where)
          assert.match(message, /frame \d+, which begins at byte \d+/, where)
        } else assert.ok(code === 'BACKUP_DAMAGED' || code === 'BACKUP_NEWER', where)
      }
    },
    DEADLINE_MS,
  )

  test(
    'of every kind to encrypted ones is found',
    async () => {
      const random = randomOf(SEED + 1)
      for (let run = 0; run < DAMAGES / 2; run++) {
        const { title, bytes } = damagedBytes(encrypted, random)
        const { code, message } = await refused(verifyArchive(piecesOf(bytes), MINE))
        const isHeader = !bytes
          .subarray(0, HEADER_BYTES)
          .equals(encrypted.subarray(0, HEADER_BYTES))
        const where = `run ${run} of seed ${SEED}: ${title}: ${code}: ${message}`
        assert.ok(code === 'BACKUP_DAMAGED' || (isHeader && code === 'WRONG_KEY'), where)
        if (!isHeader) assert.match(message, /chunk \d+, which begins at byte \d+/, where)
      }
    },
    DEADLINE_MS,
  )

  test('of mixing two that are encrypted for the same one is found', async () => {
    const encryption = { recipients: [parseRecipient(RECIPIENT)] }
    const again = (await archiveOf(from.url, stores, { encryption })).bytes
    const [one, two] = [chunksOf(encrypted), chunksOf(again)]
    assert.ok(one.length === two.length && one.length > 4)
    for (const at of one.keys()) {
      const mixtures = [
        one.map((chunk, n) => (n === at ? (two[n] as Buffer) : chunk)),
        [...one.slice(0, at), ...two.slice(at)],
        [...two.slice(0, at), ...one.slice(at)],
      ]
      for (const mixture of mixtures) {
        const bytes = Buffer.concat(mixture)
        if (bytes.equals(encrypted) || bytes.equals(again)) continue
        const { code } = await refused(verifyArchive(piecesOf(bytes), MINE))
        assert.ok(code === 'BACKUP_DAMAGED', `${at}: ${code}`)
      }
    }
  })

  test(
    'keeps a load from leaving anything in the site',
    async () => {
      const to = await testDatabase()
      const random = randomOf(SEED + 2)
      for (let run = 0; run < 12; run++) {
        const { bytes } = damaged(plain, other, random)
        const { code } = await refused(loadInto(to.url, [bytes], { stores }))
        assert.ok(code === 'BACKUP_DAMAGED' || code === 'BACKUP_NEWER', code)
      }
      const { site, close } = await openSite({ url: to.url, site: TEST_SITE, allowUnsafe: true })
      assert.is((await readHead(site.db)).position, 0)
      await close()
      const { restored } = await loadInto(to.url, [plain], { stores })
      assert.is(restored.head.chain, (await readHead(from.site.db)).chain)
      await to.drop()
    },
    DEADLINE_MS,
  )
})

/** Of an encrypted archive the header, its nonce, and the chunks that are sealed. */
function chunksOf(archive: Buffer): Buffer[] {
  const header = archive.indexOf('\n', archive.indexOf('\n--- ') + 1) + 1
  const chunks = [archive.subarray(0, header), archive.subarray(header, header + NONCE_BYTES)]
  for (let at = header + NONCE_BYTES; at < archive.length; at += SEALED_BYTES) {
    chunks.push(archive.subarray(at, at + SEALED_BYTES))
  }
  return chunks
}

const NONCE_BYTES = 16
const SEALED_BYTES = 64 * 1024 + 16
const DOCUMENT = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
const HEADER_BYTES = 200
const PLACES = 14

/** Pages over several frames; a blob of several pieces, one that is empty, one that is private; a password. */
async function writeSite(): Promise<void> {
  const { site } = from
  const paths = Array.from({ length: PLACES }, (_, n) => `wh.p${n}`)
  await change(site, AS_ROOT, async it => {
    for (const path of ['wh', ...paths]) await createPage(it, { path, document: documentOf(path) })
  })
  const random = randomOf(1)
  const large = Buffer.from(Array.from({ length: 1_200_000 }, () => random.below(256)))
  await attach('wh.p1', 'large.bin', { bytes: large, category: 'public' })
  await attach('wh.p2', 'empty.txt', { bytes: Buffer.alloc(0), category: 'public' })
  await attach('wh.p3', 'text.txt', {
    bytes: Buffer.from('secret '.repeat(9_000)),
    category: 'private',
  })
  await change(site, AS_ROOT, async it => {
    const user = await addUser(it, { login: 'ann', fullName: 'Ann' })
    await recordPassword(it, user, 'a password of ann')
  })
}

function documentOf(path: string) {
  const random = randomOf(path.length + Number(path.slice(4)))
  const text = Array.from({ length: 1_500 }, () => random.uuid()).join('\n')
  return { ...DOCUMENT, data: { posting: { format: 'markdown', source: text } } }
}

async function attach(
  path: string,
  name: string,
  { bytes, category }: { bytes: Buffer; category: keyof BlobStores },
): Promise<void> {
  const stored = await putBlob(stores[category], piecesOf(bytes))
  await change(from.site, AS_ROOT, it => attachBlob(it, path, { name, ...stored, category }))
}

interface Damaged {
  readonly title: string
  readonly bytes: Buffer
}

/** Another archive than `whole`, as a hand or a disk may make it. */
function damaged(whole: Buffer, foreign: Buffer, random: Random): Damaged {
  const frames = framesOf(whole)
  const others = framesOf(foreign)
  const at = random.below(frames.length)
  const to = random.below(frames.length)
  const edits: Record<string, () => Buffer[]> = {
    'swap frames': () =>
      frames.map((frame, n) => frames[n === at ? to : n === to ? at : n] ?? frame),
    'leave a frame out': () => frames.filter((_, n) => n !== at),
    'double a frame': () => frames.flatMap((frame, n) => (n === at ? [frame, frame] : [frame])),
    'move a frame': () => {
      const left = frames.filter((_, n) => n !== at)
      return [...left.slice(0, to), frames[at] as Buffer, ...left.slice(to)]
    },
    'take a frame of another archive': () =>
      frames.map((frame, n) =>
        n === at ? (others[Math.min(at, others.length - 1)] ?? frame) : frame,
      ),
    'cut behind a frame': () => frames.slice(0, at),
  }
  for (;;) {
    if (random.chance(0.5)) return damagedBytes(whole, random)
    const title = random.pick(Object.keys(edits))
    const bytes = Buffer.concat([MAGIC, ...(edits[title]?.() ?? [])])
    if (!bytes.equals(whole)) return { title: `${title} (${at}, ${to})`, bytes }
  }
}

function damagedBytes(whole: Buffer, random: Random): Damaged {
  const { length } = whole
  // the beginning and the end are hit as often as all between
  const at = random.pick([
    random.below(Math.min(length, 400)),
    random.below(length),
    length - 1 - random.below(Math.min(length, 400)),
  ])
  const count = 1 + random.below(random.chance(0.5) ? 3 : 70_000)
  const to = random.below(length)
  const before = whole.subarray(0, at)
  const part = whole.subarray(at, at + count)
  const after = whole.subarray(at + count)
  const edits: Record<string, () => Buffer[]> = {
    'flip a bit': () => [
      before,
      Buffer.of((whole[at] ?? 0) ^ (1 << random.below(8))),
      whole.subarray(at + 1),
    ],
    'cut the end off': () => [before],
    'cut the beginning off': () => [after],
    'add bytes': () => [whole, whole.subarray(to, to + count)],
    'leave bytes out': () => [before, after],
    'double bytes': () => [before, part, part, after],
    'insert bytes': () => [before, whole.subarray(to, to + count), whole.subarray(at)],
    'zero bytes': () => [before, Buffer.alloc(part.length), after],
    'write bytes over others': () => {
      const copy = Buffer.from(whole)
      whole.copy(copy, to, at, at + count)
      return [copy]
    },
    'take all away': () => [],
  }
  for (;;) {
    const title = random.pick(Object.keys(edits))
    const bytes = Buffer.concat(edits[title]?.() ?? [])
    if (!bytes.equals(whole)) return { title: `${title} at ${at}, ${count} bytes, ${to}`, bytes }
  }
}
