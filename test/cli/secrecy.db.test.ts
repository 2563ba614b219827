import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { openBlobStore, putBlob } from '../../src/blobs/store.ts'
import { addUser } from '../../src/commands/accounts.ts'
import { attachBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import { createPage, deletePage } from '../../src/commands/pages.ts'
import { permitRole, setSetting } from '../../src/commands/rights.ts'
import { assert, suite } from '../harness.ts'
import { piecesOf } from '../support/archives.ts'
import {
  AS_ROOT,
  type TestDatabase,
  type TestSite,
  testDatabase,
  testSite,
} from '../support/database.ts'
import { measured } from '../support/measured.ts'
import { ended, openShell, type Shell } from './run.ts'

const DEADLINE_MS = 120_000
const CPU_MS_MAX = 2_000
const BLOB_BYTES = 3_000_000
const SECRET = await generateX25519Identity()
const RECIPIENT = await identityToRecipient(SECRET)

/** Words that stand nowhere but in the site. */
const canaries: string[] = []
const canary = () => {
  const word = `c${randomBytes(8).toString('hex')}`
  canaries.push(word)
  return word
}

suite('an encrypted backup', test => {
  let site: TestSite
  let shell: Shell
  let env: Record<string, string>
  const in_ = (name: string) => join(shell.folder, name)

  test.before(async () => {
    site = await testSite()
    shell = openShell(site.url)
    await writeSite(site, join(shell.folder, 'data/blobs'))
    env = { TMPDIR: in_('tmp'), HOME: in_('home'), RM3_BACKUPS: in_('shelf') }
    for (const folder of [env['TMPDIR'], env['HOME']]) mkdirSync(folder as string)
    writeFileSync(in_('key.txt'), SECRET)
    writeFileSync(in_('other.txt'), await generateX25519Identity())
    writeFileSync(in_('phrase.txt'), 'correct horse battery\n')
    writeFileSync(in_('wrong.txt'), 'correct horse\n')
  })
  test.after(async () => {
    await site.close()
    shell.close()
  })

  test(
    'leaves no word of the site on the disk, also when it is killed, and none in what it says',
    async () => {
      const said: string[] = []
      const run = async (program: string, args: readonly string[], more = {}) => {
        const { stdout, stderr } = await shell.run(program, args, { env: { ...env, ...more } })
        said.push(stdout, stderr)
      }
      await run('rm3backup', ['plain'])
      const control = await found(in_('plain'), canaries)
      await run('rm3backup', ['--archive', 'a.rm3', '--recipient', RECIPIENT])
      await run('rm3backup', ['--archive', 'b.rm3', '--passphrase-file', 'phrase.txt', '--json'])
      await killed('c.rm3')
      await killed('d.rm3')
      await run('rm3backup', ['scheduled'], { RM3_BACKUP_RECIPIENT: RECIPIENT })
      await run('rm3backup', ['verify', 'a.rm3', '--identity', 'key.txt'])
      await run('rm3backup', ['verify', 'a.rm3', '--identity', 'other.txt'])
      await run('rm3backup', ['verify', 'a.rm3'])

      assert.ok(canaries.length >= 50)
      assert.equal(control.sort(), [...canaries].sort())
      for (const name of ['a.rm3', 'b.rm3', 'c.rm3.partial', 'shelf'])
        assert.ok(existsSync(in_(name)))
      const outside = readdirSync(shell.folder).filter(name => name !== 'plain')
      for (const name of outside) {
        const left = name === 'data' ? [] : await found(in_(name), canaries)
        assert.equal(left, [], name)
      }
      const data = readdirSync(in_('data')).filter(name => name !== 'blobs')
      for (const name of data) assert.equal(await found(join(in_('data'), name), canaries), [])
      assert.equal(
        canaries.filter(word => said.some(text => text.includes(word))),
        [],
      )
    },
    DEADLINE_MS,
  )

  test(
    'is not opened by a wrong key, which is told at once, and nothing is written',
    async () => {
      const there: TestDatabase = await testDatabase()
      const before = readdirSync(shell.folder, { recursive: true }).sort()
      for (const [file, keys] of [
        ['a.rm3', ['--identity', in_('other.txt')]],
        ['b.rm3', ['--passphrase-file', in_('wrong.txt')]],
      ] as const) {
        for (const [program, verb] of [
          ['rm3backup', ['verify']],
          ['rm3load', ['--archive']],
        ] as const) {
          const { code, stdout, cpuMs } = await measured(program, [...verb, in_(file), ...keys], {
            ...{ ...env, RM3_DATA: in_('data') },
            RM3_PG: there.url,
          })
          assert.equal([code, stdout], [12, ''], file)
          assert.ok(cpuMs < CPU_MS_MAX, `${program} ${file}: ${Math.round(cpuMs)} ms`)
        }
      }
      assert.equal(readdirSync(shell.folder, { recursive: true }).sort(), before)
      await there.drop()
    },
    DEADLINE_MS,
  )

  /** Begins a backup and ends it when some of it is on the disk. */
  async function killed(name: string): Promise<void> {
    const args = ['--archive', name, '--recipient', RECIPIENT]
    const child = shell.start('rm3backup', args, env)
    const partial = in_(`${name}.partial`)
    const watching = setInterval(() => {
      const { size = 0 } = statSync(partial, { throwIfNoEntry: false }) ?? {}
      if (size > 0) child.kill('SIGKILL')
    }, 1)
    await ended(child)
    clearInterval(watching)
  }
})

/** Pages, files, people, rights and settings, each with words of its own in names and texts. */
async function writeSite({ site }: TestSite, folder: string): Promise<void> {
  const stores = {
    public: await openBlobStore(join(folder, 'public')),
    private: await openBlobStore(join(folder, 'private')),
  }
  await change(site, AS_ROOT, async it => {
    await createPage(it, { path: 'wh', document: documentOf() })
    await setSetting(it, `plugin.${canary()}`, canary())
    await permitRole(it, { role: canary(), permission: 'view', pattern: 'wh.*' })
  })
  for (let page = 0; page < 8; page++) {
    const path = `wh.${canary()}`
    await change(site, { ...AS_ROOT, note: canary() }, it =>
      createPage(it, { path, document: documentOf() }),
    )
    const text = `${canary()} ${'x'.repeat(1000)}`
    const bytes = Buffer.concat([Buffer.from(text), randomBytes(BLOB_BYTES)])
    const category = page % 2 === 0 ? 'public' : 'private'
    const stored = await putBlob(stores[category], piecesOf(bytes))
    await change(site, AS_ROOT, it =>
      attachBlob(it, path, { ...stored, name: `${canary()}.bin`, category }),
    )
    if (page > 5) await change(site, AS_ROOT, it => deletePage(it, path))
  }
  await change(site, AS_ROOT, it => addUser(it, { login: canary(), fullName: canary() }))
}

function documentOf() {
  const posting = { format: 'markdown', source: `${canary()} and more` }
  const summary = { title: canary() }
  return {
    proto: 'base',
    hidden: false,
    summary,
    data: { posting },
    tags: { tag: [{ '@id': canary(), objClass: 'tag' }] },
  }
}

/** Which of the words stand in names or bytes of what is there. */
async function found(place: string, words: readonly string[]): Promise<string[]> {
  const isFolder = statSync(place).isDirectory()
  const names = isFolder ? readdirSync(place, { recursive: true }).map(String) : ['']
  const left = new Set<string>()
  for (const name of names) {
    const path = join(place, name)
    const isFile = statSync(path).isFile()
    const bytes = isFile ? readFileSync(path) : Buffer.alloc(0)
    for (const word of words) {
      if (bytes.includes(word) || relative(place, path).includes(word)) left.add(word)
    }
  }
  return [...left]
}
