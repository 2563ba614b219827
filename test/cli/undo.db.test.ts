import { ROOT_VIEWER } from '../../src/access/viewer.ts'
import { change } from '../../src/commands/change.ts'
import { createPage, deletePage } from '../../src/commands/pages.ts'
import { assert, suite } from '../harness.ts'
import { page } from '../http/support.ts'
import { type TestSite, testSite } from '../support/database.ts'
import { makeUser, viewerOf } from '../support/users.ts'
import { openShell, type Shell } from './run.ts'

interface Printed {
  undo: string | null
  dryRun: boolean
  pages: { path: string; steps: string[] }[]
}

suite('rm3admin undo', test => {
  let open: TestSite
  let shell: Shell
  test.before(async () => {
    open = await testSite()
    shell = openShell(open.url)
    const { id } = await makeUser(open.site, 'eve')
    const viewer = { ...ROOT_VIEWER, actor: (await viewerOf(open.site, id)).actor }
    const asEve = { viewer, door: 'api' } as const
    for (const path of ['wh.a', 'wh.b']) {
      await change(open.site, { viewer: ROOT_VIEWER, door: 'cli' }, it =>
        createPage(it, { path, document: page(path) }),
      )
      await change(open.site, asEve, it => deletePage(it, path))
    }
  })
  test.after(async () => {
    await open.close()
    shell.close()
  })

  test('shows, asks, does, and takes back', async () => {
    const dry = await shell.json<Printed>('rm3admin', ['undo', '--user', 'eve', '--dry-run'])
    const unasked = await shell.run('rm3admin', ['undo', '--user', 'eve', '--under', 'wh.a'])
    const done = await shell.json<Printed>('rm3admin', ['undo', '--user', 'eve', '-Y'])

    assert.equal([dry.undo, dry.dryRun, unasked.code, unasked.stdout], [null, true, 2, ''])
    assert.match(unasked.stderr, /wh\.a +undelete/)
    assert.equal(done.pages, dry.pages)
    assert.equal(
      done.pages.map(({ path, steps }) => [path, steps]),
      [
        ['wh.b', ['undelete']],
        ['wh.a', ['undelete']],
      ],
    )
    const again = await shell.run('rm3admin', ['undo', '--undo', String(done.undo), '-Y'])
    assert.match(again.stdout, /^Changed 2 pages, 0 conflicts; rm3admin undo --undo /)
  }, 60_000)

  test('tells what becomes of roles, rights and settings', async () => {
    await shell.run('rm3admin', ['assign', 'eve', 'editor'])
    await shell.run('rm3admin', ['permit', 'editor', 'view', 'wh.spam'])
    await shell.run('rm3admin', ['config', 'set', 'site.title', '"Spam"'])

    const shown = await shell.run('rm3admin', [
      'undo',
      '--user',
      'root',
      '--from',
      'position:7',
      '--dry-run',
    ])

    assert.match(shown.stdout, /^Would change \d+ pages, 3 rights, tokens, plans and settings, /)
    assert.match(shown.stdout, /wh +setting site\.title: null/)
    assert.match(shown.stdout, /wh +grant editor view wh\.spam: taken away/)
    assert.match(shown.stdout, /wh\.users\.eve +role editor: taken away/)
  }, 60_000)

  test('asks whose work it is', async () => {
    assert.is((await shell.run('rm3admin', ['undo', '--under', 'wh'])).code, 2)
    const nobody = await shell.run('rm3admin', ['undo', '--user', 'no_one', '--dry-run'])

    assert.is(nobody.code, 10)
    assert.match(nobody.stderr, /no user "no_one".*USER_NOT_FOUND/)
  })
})
