import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { RULES, type Rule } from '../../../src/backup/folder/rules.ts'
import { checkSizes, verifyFolder } from '../../../src/backup/folder/verify.ts'
import type { ProvableEvent } from '../../../src/log/copy-history.ts'
import { assert, suite } from '../../harness.ts'
import { refused } from '../../support/refused.ts'
import { randomOf } from '../../torture/random.ts'
import { damageSomething } from './damages.ts'
import { type FolderSite, folderSite, someEvents } from './folder-site.ts'
import { forge, unlink } from './forge.ts'
import { edit, reseal, sealed } from './reseal.ts'

/** How many damages, and files that were mutated and sealed anew: `RM3_TEST_DAMAGES=2000`, `RM3_TEST_MUTATIONS=10000`. */
const DAMAGES = Number(process.env['RM3_TEST_DAMAGES'] ?? 200)
const MUTATIONS = Number(process.env['RM3_TEST_MUTATIONS'] ?? 200)
const DEADLINE_MS = 1_800_000
const NOBODY = 65_534

let open: FolderSite
let whole = ''
let small = ''
let present = ''
let copies = 0

/** A copy of a backup. */
function copy(of = whole): string {
  const dir = join(open.folder, `copy-${copies++}`)
  cpSync(of, dir, { recursive: true })
  return dir
}

async function rulesIn(dir: string): Promise<string[]> {
  const { findings } = await verifyFolder(dir)
  return [...new Set(findings.map(({ rule }) => rule))]
}

/** What makes each rule be broken: in a copy of the backup, whose catalog is sealed anew after it where that is said. */
const BREAKS: readonly (readonly [Rule, (dir: string) => void, ('sealed' | 'sealed present')?])[] =
  [
    ['catalog-missing', dir => rmSync(join(dir, 'catalog.json'))],
    ['catalog-damaged', dir => edit(dir, 'catalog.json', text => text.replace('"live"', '"dead"'))],
    ['format-newer', dir => edit(dir, 'catalog.json', text => text.replace('"1.0"', '"2.0"'))],
    ['format-unknown', dir => edit(dir, 'catalog.json', text => text.replace('"1.0"', '"0.9"'))],
    ['file-missing', dir => rmSync(join(dir, 'settings.json'))],
    ['file-extra', dir => writeFileSync(join(dir, 'more'), '')],
    [
      'file-name',
      dir => catalog(dir, text => text.replace('settings.json', '../settings.json')),
      'sealed',
    ],
    [
      'file-listed-twice',
      dir =>
        catalog(dir, text => text.replace(/^.*"settings\.json".*$/m, line => `${line}\n${line}`)),
      'sealed',
    ],
    ['file-not-regular', dir => linked(dir, 'settings.json')],
    ['file-not-regular', dir => folderInstead(dir, 'settings.json')],
    ['file-size', dir => edit(dir, 'settings.json', text => `${text}\n`)],
    ['file-hash', dir => edit(dir, 'settings.json', text => text.replace('settings', 'sextings'))],
    [
      'json',
      dir => edit(dir, anyPage(dir), text => text.replace('"proto": ', '"proto": \x01')),
      'sealed',
    ],
    [
      'record-shape',
      dir => edit(dir, anyPage(dir), text => text.replace('"stub"', '"stab"')),
      'sealed',
    ],
    [
      'record-differs',
      dir => edit(dir, anyPage(dir), text => text.replace(/"title": "/, '$&New ')),
      'sealed',
    ],
    [
      'history-shape',
      dir => edit(dir, anyPage(dir), text => text.replace('{"position":', '{ "position":')),
      'sealed',
    ],
    [
      'history-shape',
      dir => edit(dir, anyPage(dir), text => text.replace(/\n {2}\]\n\}\n$/, '\n')),
      'sealed',
    ],
    [
      'history-order',
      dir => edit(dir, longPage(dir), text => text.replace(/^\{"position".*\n/m, '')),
      'sealed',
    ],
    [
      'event-hash',
      dir => edit(dir, anyPage(dir), text => text.replace('"actor":"root"', '"actor":"nobody"')),
      'sealed',
    ],
    [
      'event-hash',
      dir => edit(dir, anyPage(dir), text => text.replace('"data":{', '"data":{"more":1,')),
      'sealed',
    ],
    ['position-missing', dir => lastFile(dir), 'sealed'],
    [
      'chain-end',
      dir =>
        catalog(dir, text =>
          text.replace(/"chain":"(.)/, (_, digit) => `"chain":"${digit === '0' ? 1 : 0}`),
        ),
      'sealed',
    ],
    ['count-differs', dir => catalog(dir, text => text.replace(/,"events":\d+/, '')), 'sealed'],
    ['catalog-damaged', dir => catalog(dir, text => text.replace('"1.0"', '"1.00"')), 'sealed'],
    [
      'chain-end',
      dir => catalog(dir, text => text.replace(/"recordedAt":"\d{4}/, '"recordedAt":"2001')),
      'sealed',
    ],
    [
      'count-differs',
      dir =>
        catalog(dir, text =>
          text.replace('"missingBlobs":[]', `"missingBlobs":["${'a'.repeat(64)}"]`),
        ),
      'sealed',
    ],
    [
      'count-differs',
      dir => catalog(dir, text => text.replace(/"grants":\d+/, '"grants":77')),
      'sealed',
    ],
    [
      'credential-unknown',
      dir =>
        edit(dir, 'credentials.json', text =>
          text.replace(/"credential":"(.)/, (_, digit) => `"credential":"${digit === '9' ? 8 : 9}`),
        ),
      'sealed',
    ],
    ['blob-missing', dir => without(dir, /^.*"kind":"blob".*\n/m), 'sealed'],
    ['blob-unused', dir => unusedBlob(dir), 'sealed'],
    ['chain-broken', dir => unlink(dir, 7)],
    ['path-twice', dir => twoAtOnePath(dir), 'sealed present'],
    ['json', forged('PageCreated', data => data.replace('{', '{"__proto__":1,'))],
    ['json', forged('PageCreated', data => data.replace('{', '{"path":"wh",'))],
    [
      'event-unknown',
      dir => forge(dir, event => onlyOf('PageCreated', event, { type: 'PageDreamt' })),
    ],
    ['event-unknown', dir => forge(dir, event => onlyOf('PageCreated', event, { version: 2 }))],
    [
      'event-shape',
      forged('PageCreated', data => data.replace(/"path":"[^"]*"/, '"path":"../etc"')),
    ],
    ['event-shape', forged('PageCreated', data => data.replace('"hidden":', '"hydden":'))],
    ['event-shape', forged('BlobAttached', data => data.replace(/"sha256":"../, '"sha256":"..'))],
    [
      'event-unfoldable',
      forged('PageRevised', data => data.replace('"path":"/', '"path":"/no/such/')),
    ],
    [
      'event-unfoldable',
      forged('PageRevised', data =>
        data.replace(/"patch":\[.*\]/, '"patch":[{"op":"replace","path":"/summary","value":7}]'),
      ),
    ],
    [
      'history-shape',
      dir =>
        forge(dir, event =>
          event.position === 7 ? { ...event, at: '2021-02-30T00:00:00.000Z' } : event,
        ),
    ],
    [
      'erasure-missing',
      dir =>
        forge(dir, event =>
          event.position === 7
            ? { ...event, note: null, meta: null, data: null, salt: null }
            : event,
        ),
    ],
    [
      'time-decreases',
      dir =>
        forge(dir, event =>
          event.position === 7 ? { ...event, recordedAt: '2001-01-01T00:00:00.000Z' } : event,
        ),
    ],
    [
      'position-twice',
      dir => forge(dir, event => (event.position === 7 ? { ...event, position: 8 } : event)),
    ],
    [
      'id-twice',
      dir =>
        forge(dir, event =>
          event.position === 7
            ? { ...event, eventId: '00000000-0000-4000-a000-000000000008' }
            : event,
        ),
    ],
  ]

/** What changes the payload of the first event of a type. */
function forged(type: string, change: (data: string) => string): (dir: string) => void {
  return dir => {
    let isDone = false
    forge(dir, event => {
      if (isDone || event.type !== type || event.data === null) return event
      const data = change(event.data)
      isDone = data !== event.data
      return { ...event, data }
    })
    if (!isDone) throw new Error(`no ${type} to change`)
  }
}

function onlyOf(type: string, event: ProvableEvent, change: Partial<ProvableEvent>): ProvableEvent {
  return event.type === type && event.revision === 1 ? { ...event, ...change } : event
}

suite('verifying a backup in a folder', test => {
  test.before(async () => {
    open = await folderSite()
    await open.fill(someEvents(200, 11))
    whole = await open.backup('whole')
    small = await open.backup('small', { position: 40 })
    present = await open.backup('present', { snapshot: true })
  })
  test.after(() => open.close())

  for (const [index, [rule, damage, seal]] of BREAKS.entries()) {
    test(`${index}: finds "${rule}"`, async () => {
      const dir = copy(seal === 'sealed present' ? present : whole)

      damage(dir)
      if (seal !== undefined) reseal(dir)

      assert.ok((await rulesIn(dir)).includes(rule), `found ${(await rulesIn(dir)).join(', ')}`)
      rmSync(dir, { recursive: true })
    })
  }

  test('finds "file-unreadable"', async () => {
    const dir = copy()
    chmodSync(join(dir, 'settings.json'), 0)

    assert.equal(await asNobody(dir, () => rulesIn(dir)), ['file-unreadable'])
  })

  test('has no rule but those', () => {
    const tried: Rule[] = [...BREAKS.map(([rule]) => rule), 'file-unreadable']
    assert.equal([...new Set(tried)].sort(), Object.keys(RULES).sort())
  })

  test('names that file alone of which a bit or the end is lost, whichever it is', async () => {
    for (const name of readdirSync(whole)) {
      const bytes = readFileSync(join(whole, name))
      const flipped = (at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
      const last = bytes.length - 1
      const damages = [flipped(0), flipped(last >> 1), flipped(last), bytes.subarray(0, last)]
      for (const [index, damaged] of damages.entries()) {
        const dir = copy()
        writeFileSync(join(dir, name), damaged)
        const { findings } = await verifyFolder(dir)
        assert.equal([...new Set(findings.map(({ file }) => file))], [name], `${name} ${index}`)
        rmSync(dir, { recursive: true })
      }
    }
  })

  test('finds each file that is of another backup of the same site', async () => {
    const later = await open.backup('later', { position: 90 })
    const names = readdirSync(later).filter(name => {
      const path = join(small, name)
      return existsSync(path) && !readFileSync(path).equals(readFileSync(join(later, name)))
    })
    assert.ok(names.length > 5)
    for (const name of names) {
      const dir = copy(small)
      cpSync(join(later, name), join(dir, name))
      const { findings } = await verifyFolder(dir)
      const isNamed = findings.some(({ file }) => file === name)
      assert.ok(name === 'catalog.json' ? findings.length > 0 : isNamed, name)
    }
  })

  test('by sizes alone finds what is missing, short or too many, and reads nothing', async () => {
    const sizes = async (dir: string) => (await checkSizes(dir)).findings.map(({ rule }) => rule)
    const dir = copy()
    edit(dir, anyPage(dir), text => text.replace('"proto"', '"prato"'))

    assert.equal(await sizes(dir), [])
    truncateSync(join(dir, anyPage(dir)), 100)
    rmSync(join(dir, 'settings.json'))
    writeFileSync(join(dir, 'more'), '')
    assert.equal((await sizes(dir)).sort(), ['file-extra', 'file-missing', 'file-size'])
    edit(dir, 'catalog.json', text => text.replace('"live"', '"dead"'))
    assert.equal(await sizes(dir), ['catalog-damaged'])
  })

  test('by parts reads each blob in one of them, and everything else in all', async () => {
    const parts = [1, 2, 3].map(part => ({ part, of: 3 }))
    const foundIn = async (dir: string) =>
      Promise.all(parts.map(async subset => (await verifyFolder(dir, { subset })).findingCount))
    const blobs = readdirSync(whole).filter(name => !name.endsWith('.json'))
    assert.ok(blobs.length > 1)

    assert.equal(await foundIn(whole), [0, 0, 0])
    for (const name of blobs) {
      const dir = copy()
      edit(dir, name, text => text.replace(/./s, '_'))
      assert.equal((await foundIn(dir)).sort(), [0, 0, 1])
      truncateSync(join(dir, name), 1)
      assert.equal(await foundIn(dir), [1, 1, 1])
    }
    const dir = copy()
    edit(dir, anyPage(dir), text => text.replace('"proto"', '"prato"'))
    assert.equal(await foundIn(dir), [1, 1, 1])
  })

  test('tells when there is none', async () => {
    assert.is((await refused(verifyFolder(join(open.folder, 'none')))).code, 'SOURCE_NOT_FOUND')
    assert.equal(await rulesIn(join(open.folder, 'public')), ['catalog-missing'])
  })

  test(
    `names a file of each of ${DAMAGES} damages`,
    async () => {
      for (let seed = 0; seed < DAMAGES; seed++) {
        const dir = copy(small)
        const { what, files } = damageSomething(dir, randomOf(seed))
        const { findings } = await verifyFolder(dir)
        rmSync(dir, { recursive: true })
        const named = findings.some(({ file }) => files.includes(file))
        assert.ok(named, `${seed}: ${what}: ${JSON.stringify(findings.slice(0, 3))}`)
      }
    },
    DEADLINE_MS,
  )

  test(
    `takes none of ${MUTATIONS} mutated backups for whole, though sealed anew`,
    async () => {
      const members = Object.keys(Object.prototype)
      for (let seed = 0; seed < MUTATIONS; seed++) {
        const dir = copy(small)
        const what = mutate(dir, seed)
        const { findings } = await verifyFolder(dir)
        rmSync(dir, { recursive: true })
        assert.ok(findings.length > 0, `${seed}: ${what}`)
        for (const { rule } of findings) assert.ok(Object.hasOwn(RULES, rule))
      }
      assert.equal(Object.keys(Object.prototype), members)
      assert.is(({} as { polluted?: unknown }).polluted, undefined)
    },
    DEADLINE_MS,
  )
})

/** Pieces of JSON, and of what is none. */
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\n',
  '0',
  '-0',
  '1e999',
  'null',
  'true',
  '\ufffd',
  '"__proto__":{"polluted":1},',
  '9007199254740993',
  '\u0000',
  '../',
  '\\u0000',
  '\\ud800',
]

/** Changes a history or the catalog and seals it anew. Secrets stand alone: nothing proves them but the hash of their file. */
function mutate(dir: string, seed: number): string {
  const random = randomOf(seed)
  const names = readdirSync(dir).filter(it => it.endsWith('.json') && it !== 'credentials.json')
  const name = random.pick(names)
  const path = join(dir, name)
  const before = readFileSync(path, 'utf8')
  const catalogBefore = readFileSync(join(dir, 'catalog.json'), 'utf8')
  // of the catalog the last line may say anything: it is of the run
  const text = name === 'catalog.json' ? before.slice(0, before.indexOf('"run"')) : before
  const at = random.below(text.length)
  const to = Math.min(text.length, at + random.below(40))
  const piece = random.chance(0.5) ? random.pick(PIECES) : text.slice(to, to + 20)
  const after = text.slice(0, at) + piece + text.slice(random.chance(0.5) ? at : to)
  const isSame = plainOf(after) === plainOf(text)
  writeFileSync(path, isSame ? `x${before}` : after + before.slice(text.length))
  reseal(dir)
  // a size that was changed is put right again by the one who seals
  if (readFileSync(join(dir, 'catalog.json'), 'utf8') === catalogBefore) {
    writeFileSync(join(dir, 'catalog.json'), `x${catalogBefore}`)
  }
  const [was, is] = [text, after].map(it => JSON.stringify(it.slice(Math.max(0, at - 40), at + 60)))
  return `${name} at ${at}: ${was} is ${is}`
}

/** A record that only has other spaces says the same. */
function plainOf(text: string): string {
  return text.replace(/\s/g, '')
}

function catalog(dir: string, change: (text: string) => string): void {
  edit(dir, 'catalog.json', text => sealed(change(text)))
}

function pages(dir: string): string[] {
  return readdirSync(dir)
    .filter(name => name.endsWith('-data.json'))
    .sort()
}

function anyPage(dir: string): string {
  return pages(dir)[0] ?? ''
}

function longPage(dir: string): string {
  return (
    pages(dir).find(name => readFileSync(join(dir, name), 'utf8').includes('"revision":3,')) ?? ''
  )
}

function unusedBlob(dir: string): void {
  const sha256 = 'ab'.repeat(32)
  const name = `wh-${sha256}`
  writeFileSync(join(dir, name), 'x')
  const line = `{"name":"${name}","kind":"blob","sizeBytes":1,"sha256":"${sha256}"},`
  catalog(dir, text => text.replace(/^.*"kind":"blob".*\n/m, blob => `${line}\n${blob}`))
}

/** The first page says that it is where the second is, and so does the catalog. */
function twoAtOnePath(dir: string): void {
  const [first = '', second = ''] = pages(dir)
  const pathOf = (name: string) => name.replace('-data.json', '')
  const path = (text: string) =>
    text.replace(`"path": "${pathOf(first)}"`, `"path": "${pathOf(second)}"`)
  edit(dir, first, path)
  catalog(dir, text => text.replace(`"path":"${pathOf(first)}"`, `"path":"${pathOf(second)}"`))
}

/** Does something as one who is no superuser and owns the folder: files without rights are for him as they are for most. */
async function asNobody<Result>(dir: string, work: () => Promise<Result>): Promise<Result> {
  if (process.geteuid?.() !== 0) return work()
  for (const place of [dir, ...readdirSync(dir).map(name => join(dir, name))]) {
    chownSync(place, NOBODY, NOBODY)
  }
  chmodSync(open.folder, 0o711)
  process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}

function linked(dir: string, name: string): void {
  const away = join(dir, '..', `away-${copies}`)
  cpSync(join(dir, name), away)
  rmSync(join(dir, name))
  symlinkSync(away, join(dir, name))
}

function folderInstead(dir: string, name: string): void {
  rmSync(join(dir, name))
  mkdirSync(join(dir, name))
}

/** Takes a page away, file and line. */
function lastFile(dir: string): void {
  const name = pages(dir).at(-1) ?? ''
  rmSync(join(dir, name))
  without(dir, new RegExp(`^.*"${name.replaceAll('.', '\\.')}".*\n`, 'm'))
}

/** Takes the first line that matches out of the catalog, with its file. */
function without(dir: string, line: RegExp): void {
  const text = readFileSync(join(dir, 'catalog.json'), 'utf8')
  const [found = ''] = line.exec(text) ?? []
  const [, name = ''] = /"name":"([^"]*)"/.exec(found) ?? []
  rmSync(join(dir, name), { force: true })
  catalog(dir, it => it.replace(found, '').replace(/,\n\],/, '\n],'))
}
