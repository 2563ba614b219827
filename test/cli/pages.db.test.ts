import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { change } from '../../src/commands/change.ts'
import { createPage, revisePage } from '../../src/commands/pages.ts'
import { sharedData } from '../backup/legacy/shared-data.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'
import { openShell, type PrintedPage, type Shell } from './run.ts'

const found = sharedData('rm3load -f')
const PAGES = found === null ? null : resolve(found, 'rm3-templates', 'pages')

suite('rm3dump, rm3mv, rm3rm and rm3load -f', test => {
  let open: TestSite
  let shell: Shell
  test.before(async () => {
    open = await testSite()
    shell = openShell(open.url)
    for (const path of ['wh', 'wh.a', 'wh.a.b']) {
      await change(open.site, AS_ROOT, it => createPage(it, { path, document: page(`${path} 1`) }))
    }
    const { result } = await change(open.site, { ...AS_ROOT, note: 'second' }, async it => {
      const ifMatch = (await it.entity((await shown('wh.a')).entityId))?.sinceId ?? ''
      return revisePage(it, 'wh.a', { ifMatch, edit: () => page('wh.a 2') })
    })
    assert.is(result.revision, 2)
  })
  test.after(async () => {
    await open.close()
    shell.close()
  })
  const shown = (path: string) => shell.json<PrintedPage>('rm3dump', [path])

  test('print a page as one line of JSON in the record’s order', async () => {
    const { code, stdout, stderr } = await shell.run('rm3dump', ['wh.a'])

    assert.equal([code, stderr], [0, ''])
    assert.is(stdout.split('\n').length, 2)
    const names = 'path entityId revisionId revisionNum proto hidden created modified touched'
    const given = Object.keys(JSON.parse(stdout))
    for (const name of [...names.split(' '), 'summary', 'data', 'tags', 'position']) {
      assert.ok(given.includes(name), name)
    }
  })

  test('print a page as it was, by position, revision and instant', async () => {
    const titles: unknown[] = []
    for (const at of ['position:3', 'revision:1', 'position:4', 'revision:2']) {
      const record = await shell.json<PrintedPage>('rm3dump', ['wh.a', '--at', at])
      titles.push(record.summary['title'])
    }

    assert.equal(titles, ['wh.a 1', 'wh.a 1', 'wh.a 2', 'wh.a 2'])
    const before = await shell.run('rm3dump', ['wh.a', '--at', '2001-01-01'])
    assert.is(before.code, 10)
    assert.match(before.stderr, /no page at wh\.a as of 2001-01-01/)
    assert.is((await shell.run('rm3dump', ['wh.a', '--at', 'position:99'])).code, 2)
    assert.is((await shell.run('rm3dump', ['wh.a', '--at', 'yesterday'])).code, 10)
    assert.is((await shell.run('rm3dump', ['wh.a', '--at', 'today'])).code, 0)
    assert.is((await shell.run('rm3dump', ['wh.a', '--at', 'someday'])).code, 2)
    assert.is((await shell.run('rm3dump', ['wh.a', '--at', 'revision:9'])).code, 10)
  }, 60_000)

  test('print a history whole with -l, and for people with -f', async () => {
    const { history } = await shell.json<PrintedPage>('rm3dump', [...['wh.a', '-l']])
    const { stdout } = await shell.run('rm3dump', ['wh.a', '-l', '-f'])

    assert.equal(
      history.map(({ type, revision, note, door }) => ({ type, revision, note, door })),
      [
        { type: 'PageCreated', revision: 1, note: null, door: 'cli' },
        { type: 'PageRevised', revision: 2, note: 'second', door: 'cli' },
      ],
    )
    assert.equal(history[0]?.data['document'], page('wh.a 1'))
    assert.equal(history[1]?.data['document'], page('wh.a 2'))
    assert.match(stdout, /^wh\.a 2\n/)
    assert.match(stdout, /PageRevised by root: second/)
  })

  test('refuse what is no path with 2 and what is not there with 10', async () => {
    assert.is((await shell.run('rm3dump', ['wh..x'])).code, 2)
    assert.is((await shell.run('rm3dump', ['wh.nothing'])).code, 10)
    assert.is((await shell.run('rm3mv', ['wh.nothing', 'wh.x'])).code, 10)
    assert.is((await shell.run('rm3mv', ['wh.a', 'wh.a.b.c'])).code, 2)
    assert.match((await shell.run('rm3mv', ['wh.a', 'a'])).stderr, /such as wh\.a \(PATH_INVALID\)/)
    assert.is((await shell.run('rm3rm', ['wh.nothing', '-Y'])).code, 10)
    assert.is((await shell.run('rm3rm', ['wh.a', '-Y', '-r', 'javascript:alert(1)'])).code, 2)
  }, 60_000)

  test('delete and erase nothing unasked', async () => {
    const unasked = await shell.run('rm3rm', ['wh.a'], { input: 'y\n' })
    const erase = await shell.run('rm3rm', ['wh.a', '-E'], { input: 'y\n' })
    const preview = await shell.run('rm3rm', ['wh.a', '-E', '--dry-run'])
    const wrong = await shell.run('rm3rm', ['wh.a', '--revision', '1', '-Y'])
    const live = await shell.run('rm3rm', ['wh.a', '-E', '--revision', '2', '-Y'])

    assert.equal([unasked.code, erase.code, preview.code], [2, 2, 0])
    assert.match(erase.stderr, /all that wh\.a ever was/)
    assert.match(preview.stdout, /stays:/)
    assert.equal([wrong.code, live.code], [2, 1])
    assert.match(live.stderr, /ERASURE_REFUSED/)
    assert.is((await shown('wh.a')).path, 'wh.a')
  }, 60_000)

  test('move a page with those below it, and delete one with a redirect', async () => {
    const moved = await shell.json<{ moved: number }>('rm3mv', ['wh.a', 'wh.z'])
    const taken = await shell.run('rm3mv', ['wh.z.b', 'wh'])
    const removed = await shell.json<{ redirect: string }>('rm3rm', [
      ...['wh.z.b', '-Y', '-r', '/z/'],
    ])

    assert.is(moved.moved, 2)
    assert.is(taken.code, 14)
    assert.is(removed.redirect, '/z/')
    assert.is((await shell.run('rm3dump', ['wh.z.b'])).code, 10)
    assert.is((await shown('wh.z')).path, 'wh.z')
  }, 60_000)

  test('load what rm3dump -l printed, history and all, elsewhere', async () => {
    const { stdout } = await shell.run('rm3dump', ['wh.z', '-l'])
    const loaded = await shell.run('rm3load', ['-f', '-', '-p', 'wh.copy'], { input: stdout })
    const copy = await shell.json<PrintedPage>('rm3dump', [...['wh.copy', '-l']])

    assert.is(loaded.code, 0, loaded.stderr)
    assert.is(copy.history.length, 3)
    assert.equal(copy.history[0]?.data['document'], page('wh.a 1'))
    assert.is(copy.history[1]?.note, 'second')
    assert.is.not(copy.entityId, JSON.parse(stdout).entityId)
    const again = await shell.run('rm3load', ['-f', '-', '-p', 'wh.copy'], { input: stdout })
    assert.is(again.code, 14)
  }, 60_000)

  test('erase one revision, then all, and tell of it', async () => {
    await shell.run('rm3load', ['-f', '-', '-p', 'wh.gone'], {
      input: (await shell.run('rm3dump', ['wh.z', '-l'])).stdout,
    })
    const one = await shell.json<{ revisions: number[] }>('rm3rm', [
      ...['wh.gone', '-E', '--revision', '1', '--reason', 'a secret', '-Y'],
    ])
    const then = await shell.run('rm3dump', ['wh.gone', '--at', 'revision:1'])
    const { stdout } = await shell.run('rm3dump', ['wh.gone', '-l'])
    const { history } = JSON.parse(stdout) as PrintedPage
    const copy = (input: string) =>
      shell.run('rm3load', ['-f', '-', '-p', 'wh.copy_of_gone'], { input })
    const withHistory = await copy(stdout)
    const copied = await copy((await shell.run('rm3dump', ['wh.gone'])).stdout)

    assert.equal([one.revisions, then.code], [[1], 10])
    assert.match(then.stderr, /was erased on .* by root .*ERASED/)
    assert.equal([history[0]?.erased, history[0]?.data['document']], [history.length, undefined])
    assert.equal([history.at(-1)?.type, history.at(-1)?.note], ['Erased', 'a secret'])
    assert.equal((await shown('wh.gone')).summary, { title: 'wh.a 2' })
    assert.equal([withHistory.code, copied.code], [3, 0])
    assert.match(withHistory.stderr, /erased/)

    const all = await shell.run('rm3rm', ['wh.gone', '-E', '-Y'])
    const again = await shell.run('rm3rm', ['wh.gone', '-E', '-Y'])
    const after = await shell.run('rm3dump', ['wh.gone'])

    assert.equal([all.code, again.code, after.code], [0, 0, 10])
    assert.match(again.stdout, /nothing left/)
    assert.is((await shell.run('rm3admin', ['verify'])).code, 0)
    const list = await shell.run('rm3admin', ['erasures', '--json'])
    writeFileSync(join(shell.folder, 'erasures.json'), list.stdout)
    const applied = await shell.run('rm3admin', ['erasures', 'apply', 'erasures.json'])
    const wrong = await shell.run('rm3admin', ['erasures', 'apply', 'bad-erasures.json'])
    assert.equal([applied.code, wrong.code], [0, 10])
    assert.match(applied.stdout, /^0 of 2 /)
    assert.match((await shell.run('rm3admin', ['erasures'])).stdout, /1 event by root: a secret/)
  }, 180_000)

  test('refuse a damaged page with 3 and a file that is not there with 10', async () => {
    writeFileSync(join(shell.folder, 'bad.json'), '{"path":"wh.x"')

    assert.is((await shell.run('rm3load', ['-f', 'bad.json'])).code, 3)
    assert.is((await shell.run('rm3load', ['-f', 'none.json'])).code, 10)
    assert.is((await shell.run('rm3load', ['-f', '-'], { input: '[]' })).code, 3)
  })

  test('load a page that was written by hand, and miss what it needs by name', async () => {
    const byHand = { path: 'wh.by_hand', proto: 'base', summary: { title: 'By hand' }, data: {} }
    const load = (record: object) =>
      shell.run('rm3load', ['-f', '-'], { input: JSON.stringify(record) })
    const loaded = await load(byHand)
    const { path: _, ...nowhere } = byHand
    const refused = await load(nowhere)

    assert.is(loaded.code, 0, loaded.stderr)
    assert.is((await shown('wh.by_hand')).summary?.['title'], 'By hand')
    assert.is(refused.code, 3)
    assert.match(refused.stderr, /stdin at \/path: the path is missing/)
  })

  if (PAGES !== null) {
    test('load the single pages of rm3 0.x', async () => {
      for (const name of ['blog', 'comment', 'default_users', 'front', 'link']) {
        const file = join(PAGES, `${name}.json`)
        const path = `wh.loaded_${name}`
        const { code, stderr } = await shell.run('rm3load', ['-f', file, '-p', path])
        assert.is(code, 0, stderr)
        assert.is((await shown(path)).path, path)
      }
    }, 60_000)
  }
})

function page(title: string) {
  return { proto: 'base', hidden: false, summary: { title }, data: {}, tags: {} }
}
