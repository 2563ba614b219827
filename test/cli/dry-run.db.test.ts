import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openBlobStore, putBlob } from '../../src/blobs/store.ts'
import { attachBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import { createPage, deletePage } from '../../src/commands/pages.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { edit } from '../backup/folder/reseal.ts'
import { type TestRepository, testRepository } from '../backup/git/git-repository.ts'
import { assert, suite } from '../harness.ts'
import { piecesOf } from '../support/archives.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { openShell, type Shell } from './run.ts'

const EMPTY = 'empty'
const DEADLINE_MS = 60_000
const DOCUMENT = { proto: 'base', hidden: false, summary: { title: 'x' }, data: {}, tags: {} }

/** What is tried: into an empty site, or into the one that is in use. */
const CASES: readonly (readonly [site: string, ...args: string[]])[] = [
  [EMPTY, '-d', 'site'],
  [EMPTY, '-d', 'site', '-p', 'wh.a'],
  [EMPTY, '-d', 'site', '--nohistory'],
  [EMPTY, '-d', 'edited', '--edited'],
  [EMPTY, '--archive', 'site.rm3'],
  [EMPTY, '--archive', 'site.rm3', '-p', 'wh.a'],
  [EMPTY, '--git', 'REPOSITORY'],
  [TEST_SITE, '-d', 'site', '--into-live'],
  [TEST_SITE, '--archive', 'site.rm3', '--into-live'],
  [TEST_SITE, '--git', 'REPOSITORY', '--at-path', 'wh.docs'],
]

suite('rm3load --dry-run', test => {
  let site: TestSite
  let shell: Shell
  let repository: TestRepository

  test.before(async () => {
    site = await testSite()
    shell = openShell(site.url)
    repository = testRepository()
    repository.commit({ 'a.md': '# A\n\nText\n', 'b.md': '# B\n' })
    await fill()
    await shell.json('rm3backup', ['site'])
    await shell.json('rm3backup', ['--archive', 'site.rm3'])
    cpSync(join(shell.folder, 'site'), join(shell.folder, 'edited'), { recursive: true })
    edit(join(shell.folder, 'edited'), 'wh.a-data.json', it => it.replace('"x"', '"y"'))
    await change(site.site, AS_ROOT, it => deletePage(it, 'wh.a'))
    await shell.run('rm3admin', ['status'], { env: { RM3_SITE: EMPTY } })
  }, DEADLINE_MS)
  test.after(async () => {
    await site.close()
    shell.close()
    repository.close()
  })

  async function fill(): Promise<void> {
    const store = await openBlobStore(join(shell.folder, 'data/blobs/private'))
    const stored = await putBlob(store, piecesOf(Buffer.from('some bytes')))
    await change(site.site, AS_ROOT, async it => {
      for (const path of ['wh', 'wh.a', 'wh.a.b'])
        await createPage(it, { path, document: DOCUMENT })
    })
    await change(site.site, AS_ROOT, it =>
      attachBlob(it, 'wh.a', { ...stored, name: 'a.txt', category: 'private' }),
    )
  }

  /** Every row of every table of both sites, and every file that a load could write. */
  async function everything(): Promise<Record<string, unknown>> {
    const { db, close } = await openBulk({ url: site.url, site: TEST_SITE })
    const all: Record<string, unknown> = {}
    for (const { name } of await db.rows<{ name: string }>(TABLES, [[EMPTY, TEST_SITE]])) {
      all[name] = await db.rows(`select t::text as row from ${name} t order by 1`)
    }
    await close()
    const other = join(shell.folder, 'files')
    const folders = [join(shell.folder, 'data'), other].filter(existsSync)
    const entries = folders.flatMap(folder =>
      readdirSync(folder, { recursive: true, withFileTypes: true }),
    )
    all['files'] = entries.filter(it => it.isFile()).map(it => join(it.parentPath, it.name))
    return all
  }

  for (const [name, ...args] of CASES) {
    test(
      `of ${args.join(' ')} into ${name === EMPTY ? 'an empty' : 'the'} site leaves every row and file as it was`,
      async () => {
        const before = await everything()
        const words = args.map(arg => (arg === 'REPOSITORY' ? repository.folder : arg))
        const files = join(shell.folder, 'files')
        const env = {
          RM3_SITE: name,
          ...(name === EMPTY && { RM3_PRIVATE_BLOBS: join(files, 'private') }),
          ...(name === EMPTY && { RM3_LOCAL_BLOBS: join(files, 'public') }),
        }

        const { code, stderr, stdout } = await shell.run('rm3load', [...words, '--dry-run'], {
          env,
        })

        assert.is(code, 0, stderr + stdout)
        assert.equal(await everything(), before)
      },
      DEADLINE_MS,
    )
  }
})

const TABLES = `select format('%I.%I', schemaname, tablename) as name from pg_tables
  where schemaname = any($1::text[]) order by 1`
