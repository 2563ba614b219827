import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sharedData } from '../backup/legacy/shared-data.ts'
import { assert, suite } from '../harness.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { openShell, type PrintedPage, type Shell } from './run.ts'

interface Printed {
  readonly loaded: boolean
  readonly dryRun: boolean
  readonly counts: Readonly<Record<string, number>>
  readonly pages: readonly { path: string; did: string; reason?: string; at?: string }[]
}

let database: TestDatabase
let shell: Shell

/** Makes a page. */
const make = async (path: string, title = path) => {
  const ids = { entityId: randomUUID(), revisionId: randomUUID() }
  const page = { ...ids, path, proto: 'base', summary: { title }, data: {}, tags: {} }
  const { code, stderr } = await shell.run('rm3load', ['-f', '-'], { input: JSON.stringify(page) })
  assert.is(code, 0, stderr)
}
const begin = async () => {
  database = await testDatabase()
  shell = openShell(database.url)
}
const end = async () => {
  await database.drop()
  shell.close()
}
const position = async () => {
  const { head } = await shell.json<{ head: { position: number } }>('rm3admin', ['status'])
  return head.position
}
const titleAt = async (path: string) =>
  (await shell.json<PrintedPage>('rm3dump', [path])).summary['title']
const isSound = async () => (await shell.run('rm3admin', ['verify'])).code

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
    await shell.run('rm3rm', ['wh.blog.one', '-Y'])
    await shell.run('rm3rm', ['wh.about', '-Y'])
    await make('wh.about', 'another')
  })
  test.after(end)

  test('lists what would change, and what is in the way, without a change', async () => {
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
  })

  test('changes nothing and ends with 14 while something is in the way', async () => {
    const before = await position()

    const { code, loaded } = await load('--into-live')

    assert.equal([code, loaded, await position()], [14, false, before])
  })

  test('takes one page back, once', async () => {
    const first = await load('--into-live', '-p', 'wh.blog.one')
    const after = await position()
    const second = await load('--into-live', '-p', 'wh.blog.one')

    assert.equal([first.code, first.loaded, did(first)], [0, true, { 'wh.blog.one': 'undeleted' }])
    assert.equal([second.code, second.counts['same'], await position()], [0, 1, after])
    assert.is(await titleAt('wh.blog.one'), 'wh.blog.one')
  })

  test('goes on without what is in the way when told to', async () => {
    await shell.run('rm3mv', ['wh.blog.two', 'wh.elsewhere'])
    await shell.run('rm3rm', ['wh.blog.one', '-Y'])

    const { code, loaded, counts } = await load('--into-live', '--skip-conflicts')

    assert.equal([code, loaded, counts['undeleted'], counts['conflict']], [0, true, 1, 1])
    assert.is(await titleAt('wh.about'), 'another')
    assert.is(await titleAt('wh.elsewhere'), 'wh.blog.two')
    assert.is(await isSound(), 0)
  })

  test('takes nothing else along, and says so', async () => {
    const usage = async (...args: string[]) => (await shell.run('rm3load', args)).code

    assert.is(await usage('--archive', 'x.rm3', '--into-live'), 2)
    assert.is(await usage('-d', 'site', '--skip-conflicts'), 2)
    assert.is(await usage('-d', 'site', '--into-live', '--nohistory'), 2)
    assert.is(await usage('-d', 'site', '--into-live', '-p', 'wh.none'), 10)
    assert.is(await usage('-d', 'none', '--into-live'), 10)
  })

  test('brings a history in which something was erased, erased', async () => {
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
      assert.is((await shell.run('rm3admin', ['verify'], { env })).code, 0)
    }
    assert.is((JSON.parse(part.stdout) as { proof: { erased: number } }).proof.erased, 1)
  })
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
  })
  test.after(end)

  test('loads what was not edited as it was', async () => {
    const { chain } = await shell.json<{ chain: string }>('rm3backup', ['verify', 'site'])
    const { code, stdout } = await shell.run('rm3load', ['-d', 'site', '--edited'], to('same'))

    assert.is(code, 0)
    assert.match(stdout, /it is what was written/)
    assert.match(stdout, chain)
  })

  test('says what differs and loads it, where without it the load is refused', async () => {
    cpSync(join(shell.folder, 'site'), join(shell.folder, 'edited'), { recursive: true })
    edit('wh.a-data.json', text => text.replace('"title":"wh.a"', '"title":"by hand"'))
    rmSync(join(shell.folder, 'edited', 'wh.b-data.json'))

    const refused = await shell.run('rm3load', ['-d', 'edited'], to('edited'))
    const tried = await shell.run(
      'rm3load',
      ['-d', 'edited', '--edited', '--dry-run'],
      to('edited'),
    )
    const loaded = await shell.run('rm3load', ['-d', 'edited', '--edited', '--json'], to('edited'))
    const again = await shell.run('rm3load', ['-d', 'edited', '--edited'], to('edited'))

    assert.equal([refused.code, tried.code, loaded.code, again.code], [13, 0, 0, 14])
    assert.match(tried.stdout, /^Dry run/)
    assert.match(tried.stdout, /wh\.a-data\.json.* says something else, which is a new event now/)
    assert.match(tried.stdout, /wh\.b-data\.json was taken away/)
    const { differences } = JSON.parse(loaded.stdout) as { differences: { file: string }[] }
    assert.equal([...new Set(differences.map(({ file }) => file))].sort(), [
      'wh.a-data.json',
      'wh.b-data.json',
    ])
    const dumped = await shell.run('rm3dump', ['wh.a'], to('edited'))
    assert.match(dumped.stdout, /by hand/)
    assert.is((await shell.run('rm3dump', ['wh.b'], to('edited'))).code, 10)
    assert.is((await shell.run('rm3admin', ['verify'], to('edited'))).code, 0)
  })

  test('names what does not fit, and loads nothing', async () => {
    edit('wh.a-data.json', text => text.replace('"proto":"base"', '"proto":7'))

    const { code, stderr, stdout } = await shell.run(
      'rm3load',
      ['-d', 'edited', '--edited'],
      to('bad'),
    )

    assert.equal([code, stdout], [13, ''])
    assert.match(stderr, /wh\.a-data\.json/)
    assert.not.match(stderr, /\n\s+at /)
  })

  test('goes with -d and --dry-run alone', async () => {
    const usage = async (...args: string[]) => (await shell.run('rm3load', args)).code

    assert.is(await usage('-d', 'site', '--edited', '-p', 'wh.a'), 2)
    assert.is(await usage('-d', 'site', '--edited', '--into-live'), 2)
    assert.is(await usage('-f', 'x.json', '--edited'), 2)
    assert.is(await usage('-d', 'none', '--edited'), 10)
  })
})

const found = sharedData('rm3load --into-live of rm3 0.x')
if (found !== null) {
  suite('rm3load --into-live of a backup of rm3 0.x', test => {
    const backup = join(resolve(found), 'rm3-backups', 'v0.3.8')
    const load = async (...args: string[]) => {
      const { code, stdout } = await shell.run('rm3load', ['-d', backup, ...args, '--json'])
      return { code, ...(JSON.parse(stdout) as Printed) }
    }
    test.before(begin)
    test.after(end)

    test('brings a page with its history and files into a site in use', async () => {
      await shell.run('rm3admin', ['adduser', 'ann', 'Ann'])

      const first = await load('--into-live', '-p', 'wh.blog')
      const after = await position()
      const second = await load('--into-live', '-p', 'wh.blog')

      assert.equal([first.code, first.counts['imported'], second.code], [0, 4, 0])
      assert.equal([second.counts['same'], await position()], [4, after])
      const page = await shell.json<PrintedPage>('rm3dump', ['wh.blog', '-l'])
      assert.ok(page.history.length > 0)
      assert.is(await isSound(), 0)
    })

    test('takes back what was deleted and changed since', async () => {
      const [child = ''] = (await load('--into-live', '--dry-run')).pages
        .filter(({ did }) => did === 'same')
        .map(({ path }) => path)
      const all = await load('--into-live')
      const blog = await shell.json<PrintedPage>('rm3dump', ['wh.blog'])
      await shell.run('rm3rm', ['wh.blog', '-Y'])

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
    })
  })
}
