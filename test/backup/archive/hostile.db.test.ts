import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { BODY_BYTES_MAX } from '../../../src/backup/archive/frames.ts'
import { packEvents, unpackEvents } from '../../../src/backup/archive/pack-events.ts'
import { verifyArchive } from '../../../src/backup/archive/verify.ts'
import { putBlob } from '../../../src/blobs/store.ts'
import { fromMessagePack, toMessagePack } from '../../../src/codec/message-pack.ts'
import { attachBlob } from '../../../src/commands/blobs.ts'
import { change } from '../../../src/commands/change.ts'
import { createPage } from '../../../src/commands/pages.ts'
import { chainLink } from '../../../src/log/chain.ts'
import { bodyHash } from '../../../src/log/event.ts'
import type { RawEvent } from '../../../src/log/raw.ts'
import { readHead } from '../../../src/log/read.ts'
import { openSite } from '../../../src/open-site.ts'
import { assert, suite } from '../../harness.ts'
import {
  archiveOf,
  forged,
  frameOf,
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

const MEGABYTE = 1024 * 1024
const DOCUMENT = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
const START = Buffer.alloc(32)
/** With RM3_TEST_MUTATIONS=10000 each is loaded, dry and really. */
const STRIDE = Number(process.env['RM3_TEST_MUTATIONS'] ?? 0) > 1_000 ? 1 : 5

type Fields = Record<string, unknown>

let from: TestSite
let stores: Awaited<ReturnType<typeof tempStores>>
/** H, B, D, E, Z of a small site. */
let frames: Buffer[]
let events: RawEvent[]
/** All that was refused. */
const refusedOnes: { archive: Buffer; code: string }[] = []

suite('forged archives, whose checksums fit', test => {
  test.before(async () => {
    from = await testSite()
    stores = await tempStores()
    await change(from.site, AS_ROOT, async it => {
      for (const path of ['wh', 'wh.a', 'wh.b']) await createPage(it, { path, document: DOCUMENT })
    })
    const stored = await putBlob(stores.public, piecesOf(Buffer.from('some bytes')))
    await change(from.site, AS_ROOT, it =>
      attachBlob(it, 'wh.a', { ...stored, name: 'a.txt', category: 'public' }),
    )
    frames = framesOf((await archiveOf(from.url, stores)).bytes)
    events = unpackEvents(bodyOf(3), START)
  })
  test.after(async () => {
    await from.close()
    await stores.remove()
  })

  test('the frames as they are make an archive', async () => {
    assert.is((await verifyArchive(piecesOf(forged(frames)), NO_KEYS)).events, events.length)
  })

  const headers: Record<string, [string, (header: Fields) => Fields]> = {
    'of a newer version': ['BACKUP_NEWER', header => ({ ...header, version: 2 })],
    'of something else': ['BACKUP_DAMAGED', header => ({ ...header, format: 'tar' })],
    'that ends before it begins': [
      'BACKUP_DAMAGED',
      ({ head, ...header }) => ({
        ...header,
        parent: head,
        head: { ...(head as Fields), position: 1 },
      }),
    ],
    'that ends later': [
      'BACKUP_DAMAGED',
      ({ head, ...header }) => ({ ...header, head: { ...(head as Fields), position: 9 } }),
    ],
    'with another chain value': [
      'BACKUP_DAMAGED',
      ({ head, ...header }) => ({
        ...header,
        head: { ...(head as Fields), chain: 'ab'.repeat(32) },
      }),
    ],
    'with another parent': [
      'BACKUP_DAMAGED',
      header => ({ ...header, parent: { position: 0, chain: 'ab'.repeat(32) } }),
    ],
    'with a huge position': [
      'BACKUP_DAMAGED',
      ({ head, ...header }) => ({ ...header, head: { ...(head as Fields), position: 2 ** 60 } }),
    ],
    'with another time': [
      'BACKUP_DAMAGED',
      ({ head, ...header }) => ({
        ...header,
        head: { ...(head as Fields), recordedAt: '2001-01-01T00:00:00.000Z' },
      }),
    ],
    'without a head': [
      'BACKUP_DAMAGED',
      ({ parent, format, version }) => ({ parent, format, version }),
    ],
  }
  for (const [title, [code, edit]] of Object.entries(headers)) {
    test(`a header ${title} is refused`, async () => {
      const header = edit(fromMessagePack(bodyOf(0)) as Fields)
      await refuse(replaced(0, toMessagePack(header)), code)
    })
  }

  const columns: Record<string, (columns: Fields) => unknown> = {
    'are a list': () => [1, 2],
    'hold no events': held => ({ ...held, data: [] }),
    'are of other lengths': held => ({ ...held, type: ['PageCreated'] }),
    'hold texts for numbers': held => ({ ...held, revision: ['1', '1', '1', '2'] }),
    'hold times that are none': held => ({ ...held, at: [9e15, 1, 1, 1] }),
    'hold too few bytes': held => ({ ...held, salt: Buffer.alloc(3) }),
    'begin elsewhere': held => ({ ...held, position: 2 }),
    'begin at no number': held => ({ ...held, position: 1.5 }),
    'say that one is erased': held => ({ ...held, bodyHash: Buffer.alloc(32) }),
    'lack a column': ({ stream: _, ...held }) => held,
    'have other data': held => ({ ...held, data: (held['data'] as string[]).with(1, '{}') }),
    'have another author': held => ({ ...held, actor: ['root', 'nobody', 'root', 'root'] }),
    'are in another order': held => ({ ...held, data: (held['data'] as string[]).toReversed() }),
  }
  for (const [title, edit] of Object.entries(columns)) {
    test(`columns that ${title} are refused`, async () => {
      const held = edit(fromMessagePack(bodyOf(3)) as Fields) as object
      await refuse(replaced(3, toMessagePack(held)), 'BACKUP_DAMAGED')
    })
  }

  test('bytes that are no MessagePack, and keys that would reach into every object, do no harm', async () => {
    const poison = toMessagePack(
      new Map<string, unknown>([
        ['__proto__', { polluted: true }],
        ['constructor', 1],
      ]),
    )
    for (const body of [
      poison,
      Buffer.of(0xc1),
      Buffer.alloc(0),
      Buffer.of(0xdd, 255, 255, 255, 255),
    ]) {
      for (const index of [0, 1, 3, 4]) await refuse(replaced(index, body), 'BACKUP_DAMAGED')
    }
    assert.is(({} as Fields)['polluted'], undefined)
  })

  test('frames in another order, doubled or too many are refused', async () => {
    const [header, blob, bytes, some, end] = frames as [Buffer, Buffer, Buffer, Buffer, Buffer]
    for (const order of [
      [header, some, blob, bytes, end],
      [blob, bytes, header, some, end],
      [header, header, blob, bytes, some, end],
      [header, blob, bytes, blob, bytes, some, end],
      [header, blob, some, end],
      [header, bytes, some, end],
      [header, blob, bytes, bytes, some, end],
      [header, blob, bytes, some, some, end],
      [header, blob, bytes, end],
      [header, blob, bytes, some],
      [header, blob, bytes, some, end, end],
      [header, blob, bytes, frameOf('X', Buffer.alloc(1)), some, end],
    ]) {
      await refuse(forged(order), 'BACKUP_DAMAGED')
    }
  })

  test('a blob with other bytes, and one that is named like a path, are refused', async () => {
    await refuse(replaced(2, Buffer.from('same bytes')), 'BACKUP_DAMAGED')
    const blob = fromMessagePack(bodyOf(1)) as Fields
    for (const sha256 of ['../../etc/passwd', `${'A'.repeat(64)}`, `${'a'.repeat(63)}/`, 7]) {
      await refuse(replaced(1, toMessagePack({ ...blob, sha256 })), 'BACKUP_DAMAGED')
    }
    await refuse(replaced(1, toMessagePack({ ...blob, category: '__proto__' })), 'BACKUP_DAMAGED')
  })

  test('a bomb finds no more memory than it says, and none more than a frame may have', async () => {
    const bomb = deflateRawSync(Buffer.alloc(200 * MEGABYTE), { level: 9 })
    for (const unpacked of [
      bomb.length + 1,
      MEGABYTE,
      BODY_BYTES_MAX,
      BODY_BYTES_MAX + 1,
      2 ** 32 - 1,
    ]) {
      const frame = frameOf('E', bomb)
      frame[1] = 1
      frame.writeUInt32BE(unpacked, 8)
      const before = process.memoryUsage().rss
      await refuse(forged([...frames.slice(0, 3), frame, frames[4] as Buffer]), 'BACKUP_DAMAGED')
      assert.ok(process.memoryUsage().rss - before < 200 * MEGABYTE)
    }
  })

  test('events that fit the chain and not one another are not loaded', async () => {
    const created = JSON.parse(events[1]?.data as string) as Fields
    const edits: Record<string, (event: RawEvent, index: number) => Partial<RawEvent>> = {
      'two pages at one path': (_, n) => (n === 2 ? { data: JSON.stringify(created) } : {}),
      'a type that is not known': (_, n) => (n === 3 ? { type: 'PagePainted' } : {}),
      'a version that is not known': (_, n) => (n === 3 ? { version: 99 } : {}),
      'a revision without the one before': (_, n) => (n === 3 ? { revision: 7 } : {}),
      'a payload of another shape': (_, n) => (n === 1 ? { data: '{"path":7}' } : {}),
      'a payload that is no JSON': (_, n) => (n === 1 ? { data: '{"path":' } : {}),
      'a time that goes back': (_, n) =>
        n === 2 ? { recordedAt: '1999-01-01T00:00:00.000Z' } : {},
    }
    const to = await testDatabase()
    for (const [title, edit] of Object.entries(edits)) {
      const archive = rewritten(edit)
      const { code, message } = await refused(loadInto(to.url, [archive], { stores }))
      refusedOnes.push({ archive, code })
      const isUnknown = title.includes('not known')
      assert.is(code, isUnknown ? 'BACKUP_NEWER' : 'BACKUP_DAMAGED', `${title}: ${message}`)
      const { site, close } = await openSite({ url: to.url, site: TEST_SITE, allowUnsafe: true })
      assert.is((await readHead(site.db)).position, 0, title)
      await close()
    }
    await loadInto(to.url, [forged(frames)], { stores })
    await to.drop()
  }, 120_000)

  test('a dry run says of each what the load says, and neither leaves anything', async () => {
    const to = await testDatabase()
    const { site, close } = await openSite({ url: to.url, site: TEST_SITE, allowUnsafe: true })
    assert.ok(refusedOnes.length > 60)
    const tried = refusedOnes.filter((_, index) => index % STRIDE === 0)
    for (const { archive, code } of tried) {
      const dry = await refused(loadInto(to.url, [archive], { stores: null, dryRun: true }))
      const real = await refused(loadInto(to.url, [archive], { stores }))
      assert.equal([dry.code, dry.message], [real.code, real.message])
      assert.is(real.code, code)
    }
    assert.is((await readHead(site.db)).position, 0)
    await close()
    await to.drop()
  }, 120_000)
})

function bodyOf(index: number): Buffer {
  const frame = frames[index] as Buffer
  const body = frame.subarray(12, -32)
  return frame[1] === 0 ? body : inflateRawSync(body)
}

/** The archive with another body in one of its frames. */
function replaced(index: number, body: Buffer): Buffer {
  const type = frames[index]?.toString('latin1', 0, 1) ?? ''
  return forged(frames.with(index, frameOf(type, body)))
}

async function refuse(archive: Buffer, code: string): Promise<void> {
  const error = await refused(verifyArchive(piecesOf(archive), NO_KEYS))
  assert.is(error.code, code, error.message)
  refusedOnes.push({ archive, code })
}

/** The archive with other events, whose hashes, chain and header fit. */
function rewritten(edit: (event: RawEvent, index: number) => Partial<RawEvent>): Buffer {
  let chain: Buffer = START
  const made = events.map((event, index) => {
    const edited = { ...event, ...edit(event, index) }
    const { salt, note, meta, data } = edited
    chain = chainLink(chain, edited, bodyHash(salt as Buffer, note, meta, data))
    return edited
  })
  const { head, ...header } = fromMessagePack(bodyOf(0)) as Fields
  const told = { ...header, head: { ...(head as Fields), chain: chain.toString('hex') } }
  return forged([
    frameOf('H', toMessagePack(told)),
    ...frames.slice(1, 3),
    frameOf('E', packEvents(made)),
    frames[4] as Buffer,
  ])
}
