import { readArchivePart } from '../../../src/backup/archive/part.ts'
import type { RawEvent } from '../../../src/log/raw.ts'
import { readHead } from '../../../src/log/read.ts'
import { openSite } from '../../../src/open-site.ts'
import { assert, suite } from '../../harness.ts'
import {
  archiveOf,
  eventsIn,
  loadInto,
  NO_KEYS,
  piecesOf,
  withEvents,
} from '../../support/archives.ts'
import { TEST_SITE, type TestDatabase, testDatabase } from '../../support/database.ts'
import { refused } from '../../support/refused.ts'
import { type FolderSite, folderSite, someEvents } from '../folder/folder-site.ts'

type Fields = Readonly<Record<string, unknown>>
type Change = (event: RawEvent) => Partial<RawEvent>

const DEADLINE_MS = 120_000
const DEEP = 5_000

let open: FolderSite
let to: TestDatabase
let events: readonly RawEvent[]
let whole: Buffer

/** Other values in the payload. */
const data =
  (more: Fields): Change =>
  event => ({ data: JSON.stringify({ ...(JSON.parse(event.data ?? '{}') as Fields), ...more }) })
/** Another document. */
const document =
  (more: Fields): Change =>
  event => {
    const payload = JSON.parse(event.data ?? '{}') as { document: Fields }
    return data({ document: { ...payload.document, ...more } })(event)
  }
/** Other text of the payload. */
const text =
  (from: string, by: string): Change =>
  event => ({ data: (event.data ?? '').replace(from, () => by) })
const member = (value: string) => text('"data":{', `"data":{"more":${value},`)
const as =
  (columns: Partial<RawEvent>): Change =>
  () =>
    columns
const patch = (...steps: unknown[]) => data({ patch: steps })
const add = (path: string, value: unknown) => patch({ op: 'add', path, value })
const replace = (path: string, value: unknown) => patch({ op: 'replace', path, value })

/** Changes of the first event of a type, after which nobody may take the log for one. */
const FORGED: Readonly<Record<string, Readonly<Record<string, Change>>>> = {
  RolePermitted: {
    'a pattern that is none': data({ pattern: 'wh.(((' }),
    'a pattern that is too long': data({ pattern: `wh.${'*.a.'.repeat(200)}b` }),
    'a pattern with a number that is too large': data({ pattern: 'wh.*{1,99999999999}' }),
    'a role that reaches into every object': data({ role: '__proto__' }),
  },
  RoleAssigned: { 'a role that reaches into every object': data({ role: '__proto__' }) },
  SettingChanged: {
    'a key that reaches into every object': data({ key: '__proto__' }),
    'a key that is too long': data({ key: 'a'.repeat(5_000) }),
  },
  BlobAttached: {
    'a name that reaches into every object': data({ name: '__proto__' }),
    'a size that is none': data({ sizeBytes: -1 }),
  },
  CredentialSet: {
    'an end that is no instant': data({ expires: 'tomorrow' }),
    'an end that is too far': data({ expires: '+275760-09-13T00:00:00.001Z' }),
    'a provider that reaches into every object': data({ provider: '__proto__' }),
  },
  PublishScheduled: { 'a day that does not exist': data({ at: '2021-99-99T99:99:99.999Z' }) },
  PageCreated: {
    'a day that does not exist': data({ created: '2021-02-30T00:00:00.000Z' }),
    'the year 0': data({ modified: '0000-01-01T00:00:00.000Z' }),
    'a number that is too large': data({ number: 2 ** 31 }),
    'a path that is too long': data({ path: `wh.${'a'.repeat(5_000)}` }),
    'a path that is too deep': data({ path: `wh${'.a'.repeat(5_000)}` }),
    'a path that reaches into every object': data({ path: 'wh.__proto__' }),
    'the stream of the grants': as({
      stream: '00000000-0000-4000-8000-000000000001',
      revision: 1,
    }),
    'a document without a proto': document({ proto: '' }),
    'a document that is hidden in words': document({ hidden: 'yes' }),
    'a document with more members': document({ constructor: {} }),
    'a key twice': text('{', '{"path":"wh.q",'),
    'a key that reaches into every object': text('{', '{"__proto__":{"polluted":1},'),
    'such a key in the document': member('{"__proto__":{"polluted":1}}'),
    '1e999': member('1e999'),
    '2^64': member('18446744073709551616'),
    '-0': member('-0'),
    NUL: member('"\\u0000"'),
    'half a pair': member('"\\ud800"'),
    'thousands of levels': member('['.repeat(DEEP) + ']'.repeat(DEEP)),
  },
  PageRevised: {
    'an operation that every object has': patch({ op: 'constructor', path: '/a' }),
    'an operation of the library': patch({ op: '_get', path: '/summary' }),
    'a test': patch({ op: 'test', path: '/proto', value: 'base' }),
    'a move': patch({ op: 'move', from: '/data', path: '/tags' }),
    'a copy': patch({ op: 'copy', from: '/data', path: '/data/x' }),
    'no value': patch({ op: 'add', path: '/data/x' }),
    'a path that is none': add('data/x', 1),
    'a path that is badly escaped': add('/data/~2', 1),
    'a path that is too deep': add('/data'.repeat(100), 1),
    'a place that is not there': replace('/no/such', 1),
    'a place in every object': add('/__proto__/polluted', 1),
    'a place behind a constructor': add('/constructor/prototype/polluted', 1),
    'a key of every object': add('/data/__proto__', { polluted: 1 }),
    'such a key further in': text(
      '"patch":[',
      '"patch":[{"op":"add","path":"/data/x","value":{"__proto__":{"polluted":1}}},',
    ),
    'the document taken away': patch({ op: 'remove', path: '' }),
    'a number for the document': replace('', 7),
    'a number for the proto': replace('/proto', 7),
    'a word for hidden': replace('/hidden', 'yes'),
    'a list for the summary': replace('/summary', []),
    'a member that no document has': add('/more', 1),
    'a text that is no list': add('/data/text', { $text: 'a' }),
    'a text of numbers': add('/data/text', { $text: [1] }),
    'a text in a text': add('/data/text', { $text: [['a']] }),
    'a text that has more': add('/data/text', { $text: ['a'], more: 1 }),
    'revision 0': as({ revision: 0 }),
    'revision -1': as({ revision: -1 }),
    'revision 2^31': as({ revision: 2 ** 31 }),
    'version 0': as({ version: 0 }),
    'version 40000': as({ version: 40_000 }),
    'the stream of nobody': as({ stream: '00000000-0000-4000-8000-0000000009ff' }),
    'a type of another stream': as({ type: 'RolePermitted' }),
    'a type that every object has': as({ type: 'constructor' }),
    'a time that is too far': as({ at: '+275760-09-13T00:00:00.000Z' }),
    'a time that goes back': as({ recordedAt: '1970-01-01T00:00:00.000Z' }),
    'an actor that is none': as({ actor: '../x' }),
    'NUL in the note': as({ note: 'a\0b' }),
    'meta that is a list': as({ meta: '[1]' }),
    'meta that is no JSON': as({ meta: '{' }),
    'meta that reaches into every object': as({ meta: '{"__proto__":{"polluted":1}}' }),
    'data that is a list': as({ data: '[1]' }),
    'data that is no JSON': as({ data: '{' }),
    'nothing, though no erasure tells of it': as({
      ...{ note: null, meta: null, data: null, salt: null },
    }),
  },
}

suite('events that were forged, though every hash fits', test => {
  test.before(async () => {
    open = await folderSite()
    await open.fill(someEvents(300, 5))
    const { bytes } = await archiveOf(open.url, open.stores)
    whole = bytes
    events = await eventsIn(bytes)
    to = await testDatabase()
  }, DEADLINE_MS)
  test.after(async () => {
    await to.drop()
    await open.close()
  })

  for (const [type, changes] of Object.entries(FORGED)) {
    for (const [title, change] of Object.entries(changes)) {
      test(`are refused with ${title} in ${type}, and nothing is written`, async () => {
        const { code, message } = await refused(
          loadInto(to.url, [withEvents(whole, forgedOf(type, change))], { stores: open.stores }),
        )

        assert.is(code, 'BACKUP_DAMAGED', message)
        assert.is(await positionIn(to.url), 0)
        const part = await refused(partOf(withEvents(whole, forgedOf(type, change))))
        assert.is(part.code, 'BACKUP_DAMAGED', part.message)
        assert.is(({} as Fields)['polluted'], undefined)
      })
    }
  }

  test('are loaded as they are when nothing was changed', async () => {
    await loadInto(to.url, [withEvents(whole, events)], { stores: open.stores })

    assert.is(await positionIn(to.url), events.length)
  })
})

function forgedOf(type: string, change: Change): RawEvent[] {
  const isOne = (event: RawEvent) => event.type === type && event.data !== null
  const isPatched = (event: RawEvent) => type !== 'PageRevised' || event.data?.includes('"patch"')
  const index = events.findIndex(event => isOne(event) && isPatched(event))
  const event = events[index]
  if (event === undefined) throw new Error(`there is no ${type}`)
  return events.with(index, { ...event, ...change(event) })
}

/** What `-p` and `--into-live` read of an archive. */
function partOf(bytes: Buffer): Promise<unknown> {
  const source = {
    name: 'forged',
    open: async () => ({ bytes: piecesOf(bytes), close: async () => {} }),
  }
  return readArchivePart([source], { path: null, keys: NO_KEYS })
}

async function positionIn(url: string): Promise<number> {
  const { site, close } = await openSite({ url, site: TEST_SITE, allowUnsafe: true })
  try {
    return (await readHead(site.db)).position
  } finally {
    await close()
  }
}
