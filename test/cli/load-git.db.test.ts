import { execFileSync } from 'node:child_process'
import { type TestRepository, testRepository } from '../backup/git/git-repository.ts'
import { assert, suite } from '../harness.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { openShell, type PrintedPage, type Shell } from './run.ts'

interface Loaded {
  readonly loaded: boolean
  readonly source: { readonly commit: string; readonly commits: number; readonly ref: string }
  readonly proof: { readonly events: number; readonly documents: number }
  readonly known: number
}

suite('rm3load --git', test => {
  let database: TestDatabase
  let shell: Shell
  let repository: TestRepository
  let head: string

  test.before(async () => {
    database = await testDatabase()
    shell = openShell(database.url)
    repository = testRepository()
    repository.commit({ 'README.md': '# Home\n' })
    head = repository.commit({ 'docs/a.md': '# A\n' }, { message: 'Add A' })
  })
  test.after(async () => {
    await database.drop()
    repository.close()
    shell.close()
  })

  test('says what a dry run would do, and leaves the site empty', async () => {
    const { code, stdout } = await shell.run('rm3load', ['--git', repository.folder, '--dry-run'])

    assert.is(code, 0)
    assert.match(stdout, /^Dry run: .*HEAD.* 2 commits/)
    assert.is((await shell.run('rm3dump', ['wh'])).code, 10)
  })

  test('loads a repository and ends with one summary', async () => {
    const summary = await shell.json<Loaded>('rm3load', ['--git', repository.folder])
    const page = await shell.json<PrintedPage>('rm3dump', ['wh.docs.a', '-l'])

    assert.equal(summary.source, {
      repository: repository.folder,
      ref: 'HEAD',
      commit: head,
      commits: 2,
    } as never)
    assert.is(summary.loaded, true)
    assert.is(summary.proof.documents, 4)
    assert.is(page.summary['title'], 'A')
    assert.is(page.history[0]?.note, 'Add A')
  })

  test('takes a bundle just as well', async () => {
    const bundle = `${shell.folder}/x.bundle`
    repository.commit({ 'docs/b.md': '# B\n' })
    repository.git('bundle', 'create', bundle, 'main')

    const summary = await shell.json<Loaded>('rm3load', ['--git', bundle])

    assert.is(summary.source.ref, 'main')
    assert.is(summary.proof.events, 1)
    assert.is(summary.known, 3)
  })

  test('what was erased is not in a repository that is written of it', async () => {
    repository.commit({ 'docs/p.png': 'picture', 'docs/index.md': 'confidential words\n' })
    await shell.run('rm3load', ['--git', repository.folder])
    const erased = await shell.run('rm3rm', ['-E', '-Y', 'wh.docs'])
    const written = await shell.run('rm3backup', ['--git', 'out'])
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', `${shell.folder}/out`, ...args], { encoding: 'utf8' })

    assert.is(erased.code, 0, erased.stderr)
    assert.is(written.code, 0, written.stderr)
    assert.not.match(git('log', '-p', '--all'), /confidential/)
    assert.match(git('ls-files'), /docs\/a\.md/)
  })

  test('ends with the exit code of what is wrong', async () => {
    const codes = await Promise.all(
      [
        ['--git', '/nowhere'],
        ['--git', shell.folder],
        ['--git', repository.folder, '-f', '-'],
        ['--git', repository.folder, '-p', 'wh.x'],
        ['--git', repository.folder, '--ref', 'none'],
      ].map(async args => (await shell.run('rm3load', args)).code),
    )

    assert.equal(codes, [10, 3, 2, 2, 10])
  })

  test('says that git is missing', async () => {
    const { code, stderr } = await shell.run('rm3load', ['--git', repository.folder], {
      env: { PATH: '/nowhere' },
    })

    assert.is(code, 10)
    assert.match(stderr, /git is not installed/)
  })
})
