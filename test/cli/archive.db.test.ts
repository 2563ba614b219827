import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { openBlobStore, putBlob } from '../../src/blobs/store.ts'
import { attachBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { piecesOf } from '../support/archives.ts'
import {
  AS_ROOT,
  type TestDatabase,
  type TestSite,
  testDatabase,
  testSite,
} from '../support/database.ts'
import { ended, openShell, type Shell } from './run.ts'

interface Saved {
  readonly ok: boolean
  readonly events: number
  readonly blobs: number
  readonly missingBlobs: number
  readonly parent: { readonly position: number }
  readonly head: { readonly position: number; readonly chain: string }
}

interface Loaded {
  readonly events: number
  readonly head: { readonly position: number; readonly chain: string }
  readonly archives: readonly {
    readonly name: string
    readonly loaded: boolean
    readonly blobs: number
  }[]
  readonly proof: { readonly projections: readonly string[] }
}

const DOCUMENT = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
const PRIVATE = 'data/blobs/private'
const CANARY = 'a sentence that stands in one page only'
/** Each test runs a dozen processes. */
const DEADLINE_MS = 90_000
const SECRET = await generateX25519Identity()
const RECIPIENT = await identityToRecipient(SECRET)

suite('rm3backup --archive and rm3load --archive', test => {
  let from: TestSite
  let here: Shell
  const in_ = (name: string) => join(here.folder, name)

  test.before(async () => {
    from = await testSite()
    here = openShell(from.url)
    await writeSite(here, from, randomBytes(2_000_000))
    writeFileSync(in_('key.txt'), `# a key\n${SECRET}\n`)
    writeFileSync(in_('other.txt'), await generateX25519Identity())
    writeFileSync(in_('phrase.txt'), 'correct horse battery\n')
  })
  test.after(async () => {
    await from.close()
    here.close()
  })

  test(
    'without the bytes of a blob nothing is written, but with leave it is, and says so',
    async () => {
      const env = { RM3_PRIVATE_BLOBS: in_('empty') }
      const args = ['--archive', 'lacking.rm3']

      const refused = await here.run('rm3backup', args, { env })
      assert.is(refused.code, 3)
      assert.match(refused.stderr, /BLOB_MISSING/)
      assert.equal(
        readdirSync(here.folder).filter(name => name.startsWith('lacking')),
        [],
      )

      const saved = await here.run('rm3backup', [...args, '--allow-incomplete'], { env })
      assert.is(saved.code, 0, saved.stderr)
      const { stdout } = await here.run('rm3backup', ['verify', 'lacking.rm3', '--json'])
      const { blobs, missingBlobs } = JSON.parse(stdout) as Saved
      assert.equal([blobs, missingBlobs], [0, 1])
    },
    DEADLINE_MS,
  )

  test(
    'a file comes to be, for its owner only, and verifies without a database',
    async () => {
      const saved = await here.json<Saved>('rm3backup', ['--archive', 'a.rm3'])
      const head = await readHead(from.site.db)
      const nowhere = openShell('postgresql://127.0.0.1:1/nowhere', here.folder)

      assert.equal([saved.head.position, saved.head.chain], [head.position, head.chain])
      assert.equal([saved.events, saved.blobs, saved.missingBlobs], [head.position, 1, 0])
      assert.is(statSync(in_('a.rm3')).mode & 0o777, 0o600)
      const verified = await nowhere.json<Saved>('rm3backup', ['verify', 'a.rm3'])
      assert.equal([verified.ok, verified.head.chain, verified.blobs], [true, head.chain, 1])
      assert.match((await here.run('rm3', ['backup', 'verify', 'a.rm3'])).stdout, /^Whole: a\.rm3/)
    },
    DEADLINE_MS,
  )

  test(
    'what is there already is not touched',
    async () => {
      writeFileSync(in_('there.rm3'), 'mine')

      const { code, stderr } = await here.run('rm3backup', ['--archive', 'there.rm3'])

      assert.is(code, 14)
      assert.match(stderr, /TARGET_EXISTS/)
      assert.is(readFileSync(in_('there.rm3'), 'utf8'), 'mine')
    },
    DEADLINE_MS,
  )

  test(
    'of some runs at once one writes the file, and it is whole',
    async () => {
      const runs = Array.from({ length: 6 }, () => here.run('rm3backup', ['--archive', 'race.rm3']))

      const codes = (await Promise.all(runs)).map(({ code }) => code)

      assert.is(codes.filter(code => code === 0).length, 1, codes.join(' '))
      assert.ok(
        codes.every(code => code === 0 || code === 14),
        codes.join(' '),
      )
      assert.is((await here.run('rm3backup', ['verify', 'race.rm3'])).code, 0)
      assert.equal(
        readdirSync(here.folder).filter(name => name.endsWith('.partial')),
        [],
      )
    },
    DEADLINE_MS,
  )

  test(
    'a damaged one is named by place with 13, what is none with 13, and what is not there with 10',
    async () => {
      const bytes = readFileSync(in_('a.rm3'))
      bytes[5_000] = (bytes[5_000] ?? 0) ^ 1
      writeFileSync(in_('damaged.rm3'), bytes)
      writeFileSync(in_('none.rm3'), 'nothing of rm3')

      const { code, stdout } = await here.run('rm3backup', ['verify', 'damaged.rm3'])
      assert.is(code, 13)
      assert.match(stdout, /frame \d+, which begins at byte \d+/)
      assert.is((await here.run('rm3backup', ['verify', 'none.rm3'])).code, 13)
      assert.is((await here.run('rm3backup', ['verify', 'absent.rm3'])).code, 10)
    },
    DEADLINE_MS,
  )

  test(
    'it goes through pipes, encrypted, and leaves nothing of the site in clear',
    async () => {
      const there = await other()
      const options = ['--recipient', RECIPIENT, '--archive', '-']
      const bytes = await output(here, 'rm3backup', options)
      assert.is(bytes.includes(CANARY), false)
      assert.ok(bytes.subarray(0, 21).equals(Buffer.from('age-encryption.org/v1')))
      writeFileSync(in_('secret.rm3'), bytes)
      writeFileSync(join(there.shell.folder, 'key.txt'), SECRET)

      const verifying = here.start('rm3backup', ['verify', '-', '--identity', 'key.txt', '--json'])
      verifying.stdin?.end(bytes)
      assert.is((await ended(verifying)).code, 0)
      const loading = there.shell.start('rm3load', [
        '--archive',
        '-',
        '--identity',
        'key.txt',
        '--json',
      ])
      loading.stdin?.end(bytes)
      const { code, stdout, stderr } = await ended(loading)

      assert.is(code, 0, stderr)
      const loaded = JSON.parse(stdout) as Loaded
      assert.is(loaded.head.chain, (await readHead(from.site.db)).chain)
      assert.ok(loaded.proof.projections.includes('pages'))
      assert.is(loaded.archives[0]?.blobs, 1)
      assert.equal(blobsIn(there.shell), blobsIn(here))
      assert.is(blobsIn(here).length, 1)
      await there.close()
    },
    DEADLINE_MS,
  )

  test(
    'a wrong key, or none, is exit code 12 and writes nothing',
    async () => {
      const there = await other()
      await here.json('rm3backup', ['--archive', 'phrase.rm3', '--passphrase-file', 'phrase.txt'])
      for (const [file, keys] of [
        ['secret.rm3', ['--identity', in_('other.txt')]],
        ['secret.rm3', ['--passphrase-file', in_('phrase.txt')]],
        ['secret.rm3', []],
        ['phrase.rm3', ['--passphrase-file', in_('other.txt')]],
        ['phrase.rm3', []],
      ] as const) {
        assert.is((await here.run('rm3backup', ['verify', file, ...keys])).code, 12)
        const { code, stderr } = await there.shell.run('rm3load', ['--archive', in_(file), ...keys])
        assert.is(code, 12, stderr)
      }
      const phrase = ['--passphrase-file', in_('phrase.txt')]
      assert.is((await here.run('rm3backup', ['verify', 'phrase.rm3', ...phrase])).code, 0)
      await there.close()
    },
    DEADLINE_MS,
  )

  test(
    'increments continue a copy of the site, and must fit it',
    async () => {
      const there = await other()
      const { head } = await here.json<Saved>('rm3backup', ['--archive', 'full.rm3'])
      await change(from.site, AS_ROOT, it => createPage(it, { path: 'wh.i1', document: DOCUMENT }))
      const since = ['--since', String(head.position)]
      const one = await here.json<Saved>('rm3backup', ['--archive', 'one.rm3', ...since])
      await change(from.site, AS_ROOT, it => createPage(it, { path: 'wh.i2', document: DOCUMENT }))
      await here.json('rm3backup', ['--archive', 'two.rm3', '--since', String(one.head.position)])
      assert.equal([one.parent.position, one.events, one.blobs], [head.position, 1, 0])
      assert.ok(statSync(in_('one.rm3')).size < 5_000)

      const load = (...files: string[]) =>
        there.shell.run('rm3load', [...files.flatMap(file => ['--archive', in_(file)]), '--json'])
      assert.is((await load('one.rm3')).code, 3)
      assert.is((await load('full.rm3', 'two.rm3')).code, 3)
      const first = await load('full.rm3', 'one.rm3')
      assert.is(first.code, 0, first.stderr)
      assert.is((await load('full.rm3', 'one.rm3')).code, 14)
      const second = await load('full.rm3', 'two.rm3')
      assert.is(second.code, 0, second.stderr)
      const loaded = JSON.parse(second.stdout) as Loaded
      assert.equal(
        loaded.archives.map(archive => archive.loaded),
        [false, true],
      )
      assert.is(loaded.head.chain, (await readHead(from.site.db)).chain)
      await there.close()
    },
    DEADLINE_MS,
  )

  test(
    'a dry run keeps nothing, a full disk and an interruption leave no file',
    async () => {
      const there = await other()
      const dry = await there.shell.json<Loaded>('rm3load', [
        '--archive',
        in_('full.rm3'),
        '--dry-run',
      ])
      assert.ok(dry.events > 0)
      const status = await there.shell.json<{ head: { position: number } }>('rm3admin', ['status'])
      assert.is(status.head.position, 0)
      assert.equal(blobsIn(there.shell), [])

      const interrupted = here.start('rm3backup', ['--archive', 'stopped.rm3'])
      interrupted.kill('SIGTERM')
      const { code } = await ended(interrupted)
      assert.ok(code === 143 || code === null, String(code))
      assert.not(existsSync(in_('stopped.rm3')))
      await there.close()
    },
    DEADLINE_MS,
  )

  test(
    'of an earlier position it is what was written then, and the rest continues it',
    async () => {
      const there = await other()
      const { head } = await here.json<Saved>('rm3backup', ['--archive', 'then.rm3'])
      await change(from.site, AS_ROOT, it => createPage(it, { path: 'wh.at', document: DOCUMENT }))

      const at = ['--at', `position:${head.position}`]
      const early = await here.json<Saved>('rm3backup', ['--archive', 'early.rm3', ...at])
      const since = ['--since', String(head.position)]
      const rest = await here.json<Saved>('rm3backup', ['--archive', 'rest.rm3', ...since])

      assert.equal([early.head, early.events], [head, head.position])
      const files = ['early.rm3', 'rest.rm3'].flatMap(file => ['--archive', in_(file)])
      const loaded = await there.shell.run('rm3load', files)
      assert.is(loaded.code, 0, loaded.stderr)
      assert.match(loaded.stdout, rest.head.chain)
      for (const when of ['1990', 'position:999999', `position:${head.position - 1}`]) {
        const args = ['--archive', 'nothing.rm3', '--at', when, ...since]
        assert.is((await here.run('rm3backup', args)).code, 2, when)
      }
      assert.not(existsSync(in_('nothing.rm3')) || existsSync(in_('nothing.rm3.partial')))
      await there.close()
    },
    DEADLINE_MS,
  )

  test(
    'a part of it, or its present, loads as a new log',
    async () => {
      await here.json('rm3backup', ['--archive', 'parts.rm3'])
      for (const [args, path, files] of [
        [['-p', 'wh.a'], 'wh.a', 1],
        [['--nohistory'], 'wh.b', 1],
        [['-p', 'wh.b', '--nohistory'], 'wh.b', 0],
      ] as const) {
        const there = await other()
        const given = ['--archive', in_('parts.rm3'), ...args]
        const loaded = await there.shell.run('rm3load', given)
        assert.is(loaded.code, 0, loaded.stderr)
        assert.is((await there.shell.run('rm3load', given)).code, 14)
        assert.match((await there.shell.run('rm3dump', [path])).stdout, CANARY)
        assert.is(blobsIn(there.shell).length, files)
        assert.is((await there.shell.run('rm3admin', ['verify'])).code, 0)
        await there.close()
      }
      const none = await here.run('rm3load', ['--archive', 'parts.rm3', '-p', 'wh.none'])
      assert.is(none.code, 10)
    },
    DEADLINE_MS,
  )

  test(
    'what makes no sense together is refused',
    async () => {
      for (const args of [
        [],
        ['--archive', 'x.rm3', '--since', 'yesterday'],
        ['--archive', 'x.rm3', '--since', '1000000'],
        ['--archive', 'x.rm3', '--recipient', 'age1x'],
        ['--archive', 'x.rm3', '--recipient', RECIPIENT, '--passphrase-file', 'phrase.txt'],
      ]) {
        assert.is((await here.run('rm3backup', args)).code, 2, args.join(' '))
      }
      for (const args of [
        ['--archive', '-', '--archive', '-'],
        ['--archive', 'full.rm3', '-d', '.'],
        ['--archive', '-', '-p', 'wh'],
        ['--archive', '-', '--nohistory'],
        ['--archive', 'full.rm3', '--identity', 'phrase.txt'],
      ]) {
        assert.is((await here.run('rm3load', args)).code, 2, args.join(' '))
      }
      assert.not(existsSync(in_('x.rm3')))
    },
    DEADLINE_MS,
  )
})

/** Some pages with a text that is looked for where it must not be, and a private file. */
async function writeSite(shell: Shell, { site }: TestSite, bytes: Buffer): Promise<void> {
  const store = await openBlobStore(join(shell.folder, PRIVATE))
  const stored = await putBlob(store, piecesOf(bytes))
  const document = { ...DOCUMENT, summary: { title: CANARY } }
  await change(site, AS_ROOT, async it => {
    for (const path of ['wh', 'wh.a', 'wh.b']) await createPage(it, { path, document })
  })
  await change(site, AS_ROOT, it =>
    attachBlob(it, 'wh.a', { ...stored, name: 'a.bin', category: 'private' }),
  )
}

/** An empty site with a folder of its own. */
async function other(): Promise<{ shell: Shell; close: () => Promise<void> }> {
  const database: TestDatabase = await testDatabase()
  const shell = openShell(database.url)
  return {
    shell,
    close: async () => {
      shell.close()
      await database.drop()
    },
  }
}

/** What a command writes to stdout, as bytes. */
async function output(shell: Shell, program: string, args: readonly string[]): Promise<Buffer> {
  const child = shell.start(program, args)
  const parts: Buffer[] = []
  child.stdout?.on('data', (part: Buffer) => parts.push(part))
  const { code, stderr } = await ended(child)
  assert.is(code, 0, stderr)
  return Buffer.concat(parts)
}

/** Names of the private blobs of a shell's site. */
function blobsIn({ folder }: Shell): string[] {
  const place = join(folder, PRIVATE)
  if (!existsSync(place)) return []
  return readdirSync(place, { recursive: true })
    .map(String)
    .filter(name => /[0-9a-f]{64}$/.test(name))
}
