import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { restoreFolder } from '../../../src/backup/folder/load.ts'
import type { Rule } from '../../../src/backup/folder/rules.ts'
import { demandWhole } from '../../../src/backup/folder/tell.ts'
import { verifyFolder } from '../../../src/backup/folder/verify.ts'
import { assert, suite } from '../../harness.ts'
import { TEST_SITE } from '../../support/database.ts'
import { type Measured, measured } from '../../support/measured.ts'
import { refused } from '../../support/refused.ts'
import { type FolderSite, folderSite, someEvents } from './folder-site.ts'
import { forge } from './forge.ts'
import { edit, reseal, sealed } from './reseal.ts'

const MEGABYTE = 1024 * 1024
const PEAK_BYTES_MAX = 256 * MEGABYTE
const CPU_MS_MAX = 60_000
const DEADLINE_MS = 300_000
/** With RM3_TEST_MUTATIONS=10000 what is large is tried everywhere. */
const IS_LONG = Number(process.env['RM3_TEST_MUTATIONS'] ?? 0) > 1_000
const FILES = IS_LONG ? 1_000_000 : 100_000

let open: FolderSite
let whole = ''
let present = ''
let copies = 0

/** A folder that somebody made to do harm, the rule that it breaks, and the file that is named. */
interface Hostile {
  readonly title: string
  readonly rule: Rule
  readonly file?: string
  readonly of?: 'present'
  change(dir: string): void | Promise<void>
}

const page = (dir: string) => readdirSync(dir).find(name => /^wh.*-data\.json$/.test(name)) ?? ''
const blob = (dir: string) => readdirSync(dir).find(name => /-[0-9a-f]{64}/.test(name)) ?? ''
const PLACES: Readonly<Record<string, (dir: string) => string>> = {
  'the catalog': () => 'catalog.json',
  'a page': page,
  'a blob': blob,
  'the secrets': () => 'credentials.json',
}

/** What stands where a file should be. */
const KINDS: Readonly<Record<string, (path: string) => void | Promise<void>>> = {
  pipe: path => void execFileSync('mkfifo', [path]),
  socket: listenAt,
  folder: path => mkdirSync(path),
  'link to a device': path => symlinkSync('/dev/zero', path),
  'link to a file': path => symlinkSync('/etc/hostname', path),
  'link to nothing': path => symlinkSync('/nowhere', path),
  'link to itself': path => symlinkSync(path, path),
}

const INSTEAD: Hostile[] = Object.entries(PLACES).flatMap(([place, nameIn]) =>
  Object.entries(KINDS).map(([kind, make]) => ({
    title: `a ${kind} instead of ${place}`,
    rule: place === 'the catalog' ? ('catalog-damaged' as const) : ('file-not-regular' as const),
    change: (dir: string) => {
      const path = join(dir, nameIn(dir))
      rmSync(path)
      return make(path)
    },
  })),
)

const BESIDE: Hostile[] = Object.entries(KINDS).map(([kind, make]) => ({
  title: `a ${kind} that is not listed`,
  rule: 'file-extra',
  change: dir => make(join(dir, 'more')),
}))

const NAMES = [
  ...['../x', '/etc/passwd', 'a/../../x', '..\\x', 'C:\\x', 'x\0', '.', '..', '', 'con.json'],
  ...['%2e%2e', 'wh\u2215x', 'w\u212a-data.json', 'wh.e\u0301-data.json', 'WH-data.json'],
  ...['x'.repeat(5_000), '__proto__', 'constructor', 'catalog.json', 'catalog.json.partial'],
]
const NAMED: Hostile[] = NAMES.map(name => ({
  title: `the name ${JSON.stringify(name).slice(0, 30)}`,
  rule: name.includes('\0') || name.length > 4_000 ? 'catalog-damaged' : 'file-name',
  file: 'catalog.json',
  change: dir => {
    const escaped = JSON.stringify(name).replace(
      /[^ -~]/g,
      it => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    catalog(dir, text => text.replace(`"name":"${page(dir)}"`, () => `"name":${escaped}`))
  },
}))

/** Files that are endless, or nearly. Nothing is on the disk of them. */
const LARGE: Hostile[] = [
  ...['page', 'secrets'].map(
    (what): Hostile => ({
      title: `${what} with a line of 2 GB`,
      rule: 'json',
      change: dir => stretch(dir, what === 'page' ? page(dir) : 'credentials.json', 2 ** 31),
    }),
  ),
  {
    title: 'a page of 1 TB',
    rule: 'json',
    change: dir => stretch(dir, page(dir), 2 ** 40),
  },
  {
    title: 'a catalog of 1 TB',
    rule: 'catalog-damaged',
    change: dir => truncateSync(join(dir, 'catalog.json'), 2 ** 40),
  },
  {
    title: 'a blob of 1 TB that should have some bytes',
    rule: 'file-size',
    change: dir => truncateSync(join(dir, blob(dir)), 2 ** 40),
  },
  {
    title: 'a page that never ends before its history',
    rule: 'json',
    change: dir => {
      prepend(dir, page(dir), '{\n', `${' '.repeat(1_000_000)}\n`, 80)
      reseal(dir)
    },
  },
  {
    title: 'a record that never ends',
    rule: 'json',
    of: 'present',
    change: dir => {
      prepend(dir, page(dir), '{\n', `${' '.repeat(1_000_000)}\n`, 80)
      reseal(dir)
    },
  },
  {
    title: 'ten million secrets',
    rule: 'record-shape',
    change: dir => {
      prepend(dir, 'credentials.json', '[\n', '{},\n'.repeat(10_000), 1_000)
      reseal(dir)
    },
  },
  {
    title: `${FILES} files`,
    rule: 'file-missing',
    change: dir => {
      const sha256 = 'a'.repeat(64)
      const lines = Array.from({ length: FILES }, (_, index) => {
        const name = `wh-${index.toString(16).padStart(64, '0')}`
        return `{"name":"${name}","kind":"blob","sizeBytes":9007199254740991,"sha256":"${sha256}"},\n`
      })
      catalog(dir, text => text.replace('"files":[\n', () => `"files":[\n${lines.join('')}`))
    },
  },
  {
    title: 'a catalog of ten million lines',
    rule: 'catalog-damaged',
    change: dir => {
      prepend(dir, 'catalog.json', '{\n', ',\n'.repeat(10_000), 1_000)
    },
  },
  {
    title: 'a log that ends at position 10^12',
    rule: 'position-missing',
    change: dir => {
      catalog(dir, text => text.replace(/"position":\d+/, '"position":1000000000000'))
    },
  },
  {
    title: 'a log that ends at position 10^12 and has files of as many bytes',
    rule: 'position-missing',
    change: dir => {
      catalog(dir, text =>
        text
          .replace(/"position":\d+/, '"position":1000000000000')
          .replace(/"sizeBytes":\d+/, '"sizeBytes":9007199254740991'),
      )
    },
  },
]

/** Texts that take much more memory than they are long, or no JSON at all. */
type Text = readonly [title: string, text: () => string]
const LARGE_TEXTS: readonly Text[] = [
  ['a million levels', () => '['.repeat(1_000_000)],
  ['a million levels of objects', () => '{"a":'.repeat(1_000_000)],
  ['millions of lists', () => `[${'[],'.repeat(20_000_000)}0]`],
  ['millions of objects', () => `[${'{},'.repeat(20_000_000)}0]`],
  ['millions of keys', () => `{${'"":0,'.repeat(12_000_000)}"a":0}`],
  ['millions of other keys', () => manyKeys(5_000_000)],
]
const TEXTS: readonly Text[] = [
  ['a key twice', () => '{"a":1,"a":2}'],
  ['1e999', () => '1e999'],
  ['-0', () => '-0'],
  ['2^64', () => '18446744073709551616'],
  ['half a pair', () => '"\\ud800"'],
  ['NUL', () => '"\\u0000"'],
  ['a bare NUL', () => '"\0"'],
  ['__proto__', () => '{"__proto__":{"polluted":true}}'],
  ['a comma too many', () => '[1,]'],
  ['NaN', () => 'NaN'],
  ['a byte order mark', () => '\ufeff1'],
]
const toldAs = ([title, text]: Text): Hostile[] => [
  {
    title: `${title} in a record`,
    rule: 'json',
    change: dir => {
      edit(dir, page(dir), it => it.replace('{\n', () => `{\n  "more": ${text()},\n`))
      reseal(dir)
    },
  },
  {
    title: `${title} in an event`,
    rule: 'json',
    change: dir => {
      let isDone = false
      forge(dir, event => {
        if (isDone || event.type !== 'PageCreated' || event.data === null) return event
        isDone = true
        return { ...event, data: event.data.replace('{', () => `{"more":${text()},`) }
      })
    },
  },
  {
    title: `${title} in a record without history`,
    rule: 'json',
    of: 'present',
    change: dir => {
      edit(dir, page(dir), it => it.replace('{\n', () => `{\n  "more": ${text()},\n`))
      reseal(dir)
    },
  },
  {
    title: `${title} in the list of secrets`,
    rule: 'json',
    change: dir => {
      edit(dir, 'credentials.json', it => it.replace('{', () => `{"more":${text()},`))
      reseal(dir)
    },
  },
  {
    title: `${title} in the catalog`,
    rule: 'catalog-damaged',
    change: dir =>
      catalog(dir, it => it.replace('"contents"', () => `"more":${text()},\n"contents"`)),
  },
]

/** Columns that no log takes, though every hash fits. */
const COLUMNS: Hostile[] = Object.entries({
  'NUL in a note': { note: 'a\0b' },
  'half a pair in a note': { note: 'a\ud800' },
  'an instant that is none': { at: '2021-02-30T00:00:00.000Z' },
  'version 40000': { version: 40_000 },
}).map(([title, more]) => ({
  title,
  rule: 'history-shape',
  change: dir => {
    let isDone = false
    forge(dir, event => {
      if (isDone || event.type !== 'PageCreated' || event.data === null) return event
      isDone = true
      return { ...event, ...more }
    })
  },
}))

const BYTES: Hostile[] = [
  ['Latin-1', Buffer.of(0xe9)],
  ['half a letter', Buffer.of(0xc3)],
  ['a letter that is too long', Buffer.of(0xc0, 0x80)],
  ['half a pair in UTF-8', Buffer.of(0xed, 0xa0, 0x80)],
  ['UTF-16', Buffer.from('{}', 'utf16le')],
].map(([title, bytes]) => ({
  title: `${title}`,
  rule: 'json',
  change: dir => {
    edit(dir, page(dir), text =>
      text.replace('"title"', `"${(bytes as Buffer).toString('latin1')}"`),
    )
    reseal(dir)
  },
}))

const SIZES: Hostile[] = [
  '-1',
  '1.5',
  '9007199254740993',
  '1e300',
  '"1"',
  'null',
  '18446744073709551616',
].map(size => ({
  title: `a size of ${size}`,
  rule: 'catalog-damaged',
  change: dir => catalog(dir, text => text.replace(/"sizeBytes":\d+/, `"sizeBytes":${size}`)),
}))

const OTHERS: Hostile[] = [
  {
    title: 'a document that grows by 30 MB with each event',
    rule: 'event-unfoldable',
    change: dir => {
      const more = 'a text that goes on and on. '.repeat(1_100_000)
      let count = 0
      forge(dir, event => {
        if (event.type !== 'PageRevised' || !event.data?.includes('"patch"') || count === 4)
          return event
        const { hash: _, ...data } = JSON.parse(event.data) as Record<string, unknown>
        const patch = [{ op: 'add', path: `/data/x${count++}`, value: more }]
        return { ...event, data: JSON.stringify({ ...data, patch }) }
      })
    },
  },
  {
    title: 'lines that end as on Windows',
    rule: 'history-shape',
    change: dir => {
      edit(dir, page(dir), text => text.replaceAll('\n', '\r\n'))
      reseal(dir)
    },
  },
  {
    title: 'a hash in capitals',
    rule: 'catalog-damaged',
    change: dir =>
      catalog(dir, text =>
        text.replace(/"sha256":"([0-9a-f]{64})"/, (_, sum) => `"sha256":"${sum.toUpperCase()}"`),
      ),
  },
  {
    title: 'an instant that is none',
    rule: 'catalog-damaged',
    of: 'present',
    change: dir =>
      catalog(dir, text => text.replace(/"recordedAt":"[^"]*"/, '"recordedAt":"yesterday"')),
  },
  ...['"entityId":7', '"entityId":"x"', '"entityId":null', '"entityId":["x"]'].map(
    (id): Hostile => ({
      title: `an entity ${id}`,
      rule: 'catalog-damaged',
      change: dir => catalog(dir, text => text.replace(/"entityId":"[^"]*"/, id)),
    }),
  ),
  ...['"path":7', '"path":"../x"', '"path":"wh.b c"', '"path":{}'].map(
    (path): Hostile => ({
      title: `an entity at ${path}`,
      rule: 'catalog-damaged',
      change: dir => catalog(dir, text => text.replace(/"path":"[^"]*"/, path)),
    }),
  ),
  {
    title: 'a path that is none',
    rule: 'catalog-damaged',
    change: dir => catalog(dir, text => text.replace('"path":null', '"path":"../wh"')),
  },
  {
    title: 'the catalog of another backup',
    rule: 'file-size',
    change: dir => cpSync(join(present, 'catalog.json'), join(dir, 'catalog.json')),
  },
  {
    title: 'a page that is called otherwise',
    rule: 'file-missing',
    change: dir => renameSync(join(dir, page(dir)), join(dir, page(dir).replace('wh', 'WH'))),
  },
]

suite('a hostile folder is refused at once, named, in bounded memory', test => {
  test.before(async () => {
    open = await folderSite()
    await open.fill(someEvents(150, 5))
    whole = await open.backup('whole')
    present = await open.backup('present', { snapshot: true })
  })
  test.after(() => open.close())

  test('the folders are whole as they are', async () => {
    for (const dir of [whole, present]) {
      const said = await measured('rm3backup', ['verify', dir])
      demandSound(said, [0])
    }
  })

  for (const hostile of [
    INSTEAD,
    BESIDE,
    NAMED,
    TEXTS.flatMap(toldAs),
    COLUMNS,
    BYTES,
    SIZES,
    OTHERS,
  ].flat()) {
    test(hostile.title, () => demandFound(hostile), DEADLINE_MS)
  }
  const texts = LARGE_TEXTS.flatMap(toldAs)
  for (const hostile of [...LARGE, ...texts.filter((_, index) => IS_LONG || index % 5 === 1)]) {
    test(`${hostile.title}, in bounded time and memory`, () => demandSaid(hostile), DEADLINE_MS)
  }
})

/** A copy of a backup as somebody made it, for as long as it is looked at. */
async function withHostile(
  { of, change }: Hostile,
  look: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = join(open.folder, `copy-${copies++}`)
  cpSync(of === 'present' ? present : whole, dir, { recursive: true })
  await change(dir)
  await look(dir)
  rmSync(dir, { recursive: true })
}

async function demandFound(hostile: Hostile): Promise<void> {
  const { rule, file = '' } = hostile
  await withHostile(hostile, async dir => {
    const { findings } = await verifyFolder(dir)
    const isFound = findings.some(it => it.rule === rule && (file === '' || it.file === file))
    assert.ok(isFound, JSON.stringify(findings.slice(0, 3)))
    const [dry, real] = [await refused(load(dir, true)), await refused(load(dir, false))]
    assert.equal([dry.code, dry.message], [real.code, real.message])
    assert.is(dry.details['findingCount'], findings.length)
  })
  assert.equal(Object.keys(Object.prototype), [])
  assert.is(({} as { polluted?: unknown }).polluted, undefined)
}

/** As `rm3load -d` does it, or with --dry-run, into the site that the backup is of: what it says of the folder comes first. */
async function load(dir: string, dryRun: boolean): Promise<void> {
  const proof = await demandWhole(dir)
  const { url, stores } = open
  await restoreFolder({ url, site: TEST_SITE }, { dir, proof, stores }, { projections: [], dryRun })
}

async function demandSaid(hostile: Hostile): Promise<void> {
  await withHostile(hostile, async dir => {
    const said = await measured('rm3backup', ['verify', dir])
    demandSound(said, [3, 13])
    assert.match(said.stderr + said.stdout, hostile.rule)
  })
}

function demandSound(
  { code, stdout, stderr, peakBytes, cpuMs }: Measured,
  codes: readonly number[],
): void {
  const said = (stdout + stderr).slice(0, 2_000)
  assert.ok(codes.includes(code ?? -1), `${code}: ${said}`)
  assert.not.match(said, /\n\s+at |bug of rm3/)
  assert.ok(peakBytes < PEAK_BYTES_MAX, `${Math.round(peakBytes / MEGABYTE)} MB`)
  assert.ok(cpuMs < CPU_MS_MAX, `${Math.round(cpuMs)} ms`)
}

function catalog(dir: string, change: (text: string) => string): void {
  edit(dir, 'catalog.json', text => sealed(change(text)))
}

/** Makes a file as long as that without its taking room, and the catalog say so. */
function stretch(dir: string, name: string, sizeBytes: number): void {
  truncateSync(join(dir, name), sizeBytes)
  catalog(dir, text =>
    text.replace(
      new RegExp(`("name":"${name.replaceAll('.', '\\.')}".*?"sizeBytes":)\\d+`),
      `$1${sizeBytes}`,
    ),
  )
}

/** Puts a text so many times behind the beginning of a file. */
function prepend(dir: string, name: string, beginning: string, text: string, times: number): void {
  const path = join(dir, name)
  const rest = readFileSync(path).subarray(beginning.length)
  writeFileSync(path, beginning)
  for (let time = 0; time < times; time++) appendFileSync(path, text)
  appendFileSync(path, rest)
}

function manyKeys(count: number): string {
  return `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`
}

async function listenAt(path: string): Promise<void> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(path, resolve))
  // closed, it would be taken away
  server.unref()
}
