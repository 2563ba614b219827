import { writeFile } from 'node:fs/promises'
import type { Import } from '../../src/log/imports.ts'
import { type TestRepository, testRepository } from '../backup/git/git-repository.ts'
import { assert, suite } from '../harness.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { openShell, type Shell } from './run.ts'

interface Loaded {
  readonly importId: string | null
}

interface Undone {
  readonly pages: readonly { readonly path: string; readonly steps: readonly string[] }[]
}

suite('imports', test => {
  let database: TestDatabase
  let shell: Shell
  let repository: TestRepository
  test.before(async () => {
    database = await testDatabase()
    shell = openShell(database.url)
    repository = testRepository()
    repository.commit({ 'README.md': '# Home\n', 'a.md': '# A\n' })
  })
  test.after(async () => {
    await database.drop()
    repository.close()
    shell.close()
  })

  test('have ids, are listed newest first, and are taken back one by one', async () => {
    const load = (...args: string[]) => shell.json<Loaded>('rm3load', args)
    const first = await load('--git', repository.folder)
    repository.commit({ 'a.md': '# A, again\n', 'b.md': '# B\n' })
    const second = await load('--git', repository.folder)
    const nothing = await load('--git', repository.folder)
    const { stdout } = await shell.run('rm3dump', ['wh.a', '-l'])
    const page = `${shell.folder}/a.json`
    await writeFile(page, stdout)
    const third = await load('-f', page, '-p', 'wh.copy')
    await shell.run('rm3backup', [`${shell.folder}/b`])
    await shell.run('rm3rm', ['wh.b', '-Y'])
    const rehearsed = await load('-d', `${shell.folder}/b`, '--into-live', '--dry-run')
    const fourth = await load('-d', `${shell.folder}/b`, '--into-live')
    const { items } = await shell.json<{ items: Import[] }>('rm3admin', ['imports'])

    assert.equal([nothing.importId, rehearsed.importId], [null, null])
    assert.equal(
      items.map(({ id, source, entities }) => [id, source, entities]),
      [
        [fourth.importId, items[0]?.source, 1],
        [third.importId, 'rm3dump', 1],
        [second.importId, 'git', 2],
        [first.importId, 'git', items[3]?.entities],
      ],
    )
    assert.match(items[0]?.source ?? '', /^from the backup of /)
    const undo = async (id: string | null) =>
      (await shell.json<Undone>('rm3admin', ['undo', '--import', String(id), '-Y'])).pages.map(
        ({ path, steps }) => [path, ...steps],
      )
    assert.equal(await undo(fourth.importId), [['wh.b', 'delete']])
    assert.equal(await undo(third.importId), [['wh.copy', 'delete']])
    assert.equal(await undo(second.importId), [['wh.a', 'revise']])
    const { summary } = await shell.json<{ summary: { title: string } }>('rm3dump', ['wh.a'])
    assert.is(summary.title, 'A')
  }, 120_000)

  test('are none where nothing was imported', async () => {
    const empty = await testDatabase()
    const other = openShell(empty.url)
    const { stdout } = await other.run('rm3admin', ['imports'])
    other.close()
    await empty.drop()

    assert.match(stdout, /^Nothing was imported/)
  })
})
