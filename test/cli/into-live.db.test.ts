import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ROOT_VIEWER } from '../../src/access/viewer.ts'
import { change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { readPage } from '../../src/queries/read-page.ts'
import { sharedData } from '../backup/legacy/shared-data.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { openShell, type PrintedPage, type Shell } from './run.ts'

interface Printed {
  readonly loaded: boolean
  readonly dryRun: boolean
  readonly counts: Readonly<Record<string, number>>
  readonly pages: readonly { path: string; did: string; reason?: string; at?: string }[]
}

/** Each test runs some processes. */
const DEADLINE_MS = 120_000

let open: TestSite
let shell: Shell

const begin = async () => {
  open = await testSite()
  shell = openShell(open.url)
}
const end = async () => {
  await open.close()
  shell.close()
}
const make = (path: string, title = path) =>
  change(open.site, AS_ROOT, it =>
    createPage(it, {
      path,
      document: { proto: 'base', hidden: false, summary: { title }, data: {}, tags: {} },
    }),
  )
const remove = (path: string) => change(open.site, AS_ROOT, it => deletePage(it, path))
const position = async () => (await readHead(open.site.db)).position
const titleAt = async (path: string) => {
  const answer = await readPage(open.site, ROOT_VIEWER, path)
  return answer.type === 'page' ? JSON.parse(answer.page.summary).title : answer.type
}
const isSound = async (site = TEST_SITE) =>
  (await shell.run('rm3admin', ['verify'], { env: { RM3_SITE: site } })).code

suite('rm3load --into-live', test => {
  const load = async (...args: string[]) => {
    const { code, stdout } = await shell.run('rm3load', ['-d', 'site', ...args, '--json'])
    return { code, ...(JSON.parse(stdout) as Printed) }
  }
  const did = ({ pages }: Printed) => Object.fromEntries(pages.map(({ path, did }) => [path, did]))

  test.before(async () => {
    await begin()
    for (const path of ['wh', 'wh.blog', 'wh.blog.one', 'wh.blog.two', 'wh.about']) await make(path)
    await shell.run('rm3backup', ['site'])
    await shell.run('rm3backup', ['--archive', 'site.rm3'])
    await remove('wh.blog.one')
    await remove('wh.about')
    await make('wh.about', 'another')
  }, DEADLINE_MS)
  test.after(end)

  test(
    'lists what would change, and what is in the way, without a change',
    async () => {
      const before = await position()

      const { code, loaded, dryRun, counts, pages } = await load('--into-live', '--dry-run')
      const { stdout } = await shell.run('rm3load', ['-d', 'site', '--into-live', '--dry-run'])

      assert.equal([code, loaded, dryRun], [14, false, true])
      assert.equal([counts['undeleted'], counts['same'], counts['conflict']], [1, 3, 1])
      assert.equal(
        pages.map(({ path, did, reason = null }) => [path, did, reason]),
        [
          ['wh.about', 'conflict', 'path taken'],
          ['wh.blog.one', 'undeleted', null],
        ],
      )
      assert.match(stdout, /wh\.about: CONFLICT: another page is there now/)
      assert.match(stdout, /Dry run, nothing was changed: 0 revised, 1 undeleted.*1 conflict\./)
      assert.is(await position(), before)
    },
    DEADLINE_MS,
  )

  test(
    'changes nothing and ends with 14 while something is in the way',
    async () => {
      const before = await position()

      const { code, loaded } = await load('--into-live')

      assert.equal([code, loaded, await position()], [14, false, before])
    },
    DEADLINE_MS,
  )

  test(
    'takes one page back, once',
    async () => {
      const first = await load('--into-live', '-p', 'wh.blog.one')
      const after = await position()
      const second = await load('--into-live', '-p', 'wh.blog.one')

      assert.equal(
        [first.code, first.loaded, did(first)],
        [0, true, { 'wh.blog.one': 'undeleted' }],
      )
      assert.equal([second.code, second.counts['same'], await position()], [0, 1, after])
      assert.is(await titleAt('wh.blog.one'), 'wh.blog.one')
    },
    DEADLINE_MS,
  )

  test(
    'takes a page back from an archive too',
    async () => {
      await remove('wh.blog.one')
      const args = ['--archive', 'site.rm3', '--into-live', '-p', 'wh.blog.one', '--json']

      const listed = await shell.run('rm3load', [...args, '--dry-run'])
      const done = await shell.run('rm3load', args)
      const again = await shell.run('rm3load', args)

      assert.equal([listed.code, done.code, again.code], [0, 0, 0])
      assert.equal(did(JSON.parse(done.stdout) as Printed), { 'wh.blog.one': 'undeleted' })
      assert.is((JSON.parse(again.stdout) as Printed).counts['same'], 1)
      assert.is(await titleAt('wh.blog.one'), 'wh.blog.one')
    },
    DEADLINE_MS,
  )

  test(
    'goes on without what is in the way when told to',
    async () => {
      await change(open.site, AS_ROOT, it => movePage(it, 'wh.blog.two', 'wh.elsewhere'))
      await remove('wh.blog.one')

      const { code, loaded, counts } = await load('--into-live', '--skip-conflicts')

      assert.equal([code, loaded, counts['undeleted'], counts['conflict']], [0, true, 1, 1])
      assert.is(await titleAt('wh.about'), 'another')
      assert.is(await titleAt('wh.elsewhere'), 'wh.blog.two')
      assert.is(await isSound(), 0)
    },
    DEADLINE_MS,
  )

  test(
    'takes nothing else along, and says so',
    async () => {
      const usage = async (...args: string[]) => (await shell.run('rm3load', args)).code

      assert.is(await usage('--archive', '-', '--into-live'), 2)
      assert.is(await usage('--archive', 'none.rm3', '--into-live'), 10)
      assert.is(await usage('-f', 'page.json', '--into-live'), 2)
      assert.is(await usage('-d', 'site', '--skip-conflicts'), 2)
      assert.is(await usage('-d', 'site', '--into-live', '--nohistory'), 2)
      assert.is(await usage('-d', 'site', '--into-live', '-p', 'wh.none'), 10)
      assert.is(await usage('-d', 'none', '--into-live'), 10)
    },
    DEADLINE_MS,
  )

  test(
    'brings a history in which something was erased, erased',
    async () => {
      const { entityId } = await shell.json<PrintedPage>('rm3dump', ['wh.elsewhere'])
      await shell.run('rm3rm', ['wh.elsewhere', '-E', '-Y', '--revision', '2'])
      await shell.run('rm3backup', ['erased'])
      const to = { env: { RM3_SITE: 'other' } }

      const { code, stderr } = await shell.run(
        'rm3load',
        ['-d', 'erased', '--into-live', '-p', 'wh.elsewhere'],
        to,
      )
      const part = await shell.run('rm3load', ['-d', 'erased', '-p', 'wh.elsewhere', '--json'], {
        env: { RM3_SITE: 'third' },
      })

      assert.is(code, 0, stderr)
      for (const site of ['other', 'third']) {
        const env = { RM3_SITE: site }
        const { stdout } = await shell.run('rm3dump', ['wh.elsewhere', '-l', '--json'], { env })
        const page = JSON.parse(stdout) as PrintedPage
        assert.is(page.entityId, entityId)
        assert.ok(
          page.history.some(({ type }) => type === 'Erased'),
          site,
        )
        assert.is(await isSound(site), 0)
      }
      assert.is((JSON.parse(part.stdout) as { proof: { erased: number } }).proof.erased, 1)
    },
    DEADLINE_MS,
  )
})

suite('rm3load --edited', test => {
  const edit = (file: string, change: (text: string) => string) => {
    const path = join(shell.folder, 'edited', file)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
  }
  const to = (site: string) => ({ env: { RM3_SITE: site } })

  test.before(async () => {
    await begin()
    for (const path of ['wh', 'wh.a', 'wh.b']) await make(path)
    await shell.run('rm3backup', ['site'])
  }, DEADLINE_MS)
  test.after(end)

  test(
    'loads what was not edited as it was',
    async () => {
      const { chain } = await shell.json<{ chain: string }>('rm3backup', ['verify', 'site'])
      const { code, stdout } = await shell.run('rm3load', ['-d', 'site', '--edited'], to('same'))

      assert.is(code, 0)
      assert.match(stdout, /it is what was written/)
      assert.match(stdout, chain)
    },
    DEADLINE_MS,
  )

  test(
    'says what differs and loads it, where without it the load is refused',
    async () => {
      cpSync(join(shell.folder, 'site'), join(shell.folder, 'edited'), { recursive: true })
      edit('wh.a-data.json', text => text.replace('"title": "wh.a"', '"title": "by hand"'))
      rmSync(join(shell.folder, 'edited', 'wh.b-data.json'))

      const refused = await shell.run('rm3load', ['-d', 'edited'], to('edited'))
      const tried = await shell.run(
        'rm3load',
        ['-d', 'edited', '--edited', '--dry-run'],
        to('edited'),
      )
      const loaded = await shell.run(
        'rm3load',
        ['-d', 'edited', '--edited', '--json'],
        to('edited'),
      )
      const again = await shell.run('rm3load', ['-d', 'edited', '--edited'], to('edited'))

      assert.equal([refused.code, tried.code, loaded.code, again.code], [13, 0, 0, 14])
      assert.match(refused.stderr, /on purpose: rm3load -d edited --edited --dry-run/)
      assert.match(tried.stdout, /^Dry run/)
      assert.match(tried.stdout, /wh\.a-data\.json.* says something else, which is a new event now/)
      assert.match(tried.stdout, /wh\.b-data\.json was taken away/)
      const { differences } = JSON.parse(loaded.stdout) as { differences: { file: string }[] }
      assert.equal(differences.map(({ file }) => file).sort(), ['wh.a-data.json', 'wh.b-data.json'])
      const dumped = await shell.run('rm3dump', ['wh.a'], to('edited'))
      assert.match(dumped.stdout, /by hand/)
      assert.is((await shell.run('rm3dump', ['wh.b'], to('edited'))).code, 10)
      assert.is(await isSound('edited'), 0)
    },
    DEADLINE_MS,
  )

  test(
    'names what does not fit, and loads nothing',
    async () => {
      edit('wh.a-data.json', text => text.replace('"proto": "base"', '"proto": 7'))

      const { code, stderr, stdout } = await shell.run(
        'rm3load',
        ['-d', 'edited', '--edited'],
        to('bad'),
      )

      assert.equal([code, stdout], [13, ''])
      assert.match(stderr, /wh\.a-data\.json/)
      assert.not.match(stderr, /\n\s+at /)
    },
    DEADLINE_MS,
  )

  test(
    'goes with -d and --dry-run alone',
    async () => {
      const usage = async (...args: string[]) => (await shell.run('rm3load', args)).code

      assert.is(await usage('-d', 'site', '--edited', '-p', 'wh.a'), 2)
      assert.is(await usage('-d', 'site', '--edited', '--into-live'), 2)
      assert.is(await usage('-f', 'x.json', '--edited'), 2)
      assert.is(await usage('-d', 'none', '--edited'), 10)
    },
    DEADLINE_MS,
  )
})

const found = sharedData('rm3load --into-live of rm3 0.x')
if (found !== null) {
  suite('rm3load --into-live of a backup of rm3 0.x', test => {
    const backup = join(resolve(found), 'rm3-backups', 'v0.3.8')
    const load = async (...args: string[]) => {
      const { code, stdout } = await shell.run('rm3load', ['-d', backup, ...args, '--json'])
      return { code, ...(JSON.parse(stdout) as Printed) }
    }
    test.before(begin, DEADLINE_MS)
    test.after(end)

    test(
      'brings a page with its history and files into a site in use',
      async () => {
        await make('wh.mine')

        const first = await load('--into-live', '-p', 'wh.blog')
        const after = await position()
        const second = await load('--into-live', '-p', 'wh.blog')

        assert.equal([first.code, first.counts['imported'], second.code], [0, 4, 0])
        assert.equal([second.counts['same'], await position()], [4, after])
        const page = await shell.json<PrintedPage>('rm3dump', ['wh.blog', '-l'])
        assert.ok(page.history.length > 0)
        assert.is(await isSound(), 0)
      },
      DEADLINE_MS,
    )

    test(
      'takes back what was deleted and changed since',
      async () => {
        const [child = ''] = (await load('--into-live', '--dry-run')).pages
          .filter(({ did }) => did === 'same')
          .map(({ path }) => path)
        const all = await load('--into-live')
        const blog = await shell.json<PrintedPage>('rm3dump', ['wh.blog'])
        await remove('wh.blog')

        const { code, pages } = await load('--into-live', '-p', 'wh.blog')

        assert.is(child, '')
        assert.is(all.code, 0)
        assert.equal(
          [code, pages.map(({ path, did }) => [path, did])],
          [0, [['wh.blog', 'undeleted']]],
        )
        const now = await shell.json<PrintedPage>('rm3dump', ['wh.blog'])
        assert.equal(now.summary, blog.summary)
        assert.ok(existsSync(join(shell.folder, 'data', 'blobs', 'public')))
        assert.is(await isSound(), 0)
      },
      DEADLINE_MS,
    )
  })
}
