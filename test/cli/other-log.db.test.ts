import type { ChildProcess } from 'node:child_process'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { permitRole } from '../../src/commands/rights.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { isCollision } from '../../src/pg/sqlstate.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { until } from '../support/until.ts'
import { openShell, type Shell } from './run.ts'

const DEADLINE_MS = 120_000
const UNTIL_MS = 60_000
const AFRESH = /rm3 begins afresh/g

suite('a server whose log becomes another one', test => {
  let from: TestSite
  let to: TestSite
  let shell: Shell
  let server: ChildProcess
  let said = ''
  let address = ''

  const document = (title: string) => ({
    ...{ proto: 'base', hidden: false, summary: { title }, data: {}, tags: {} },
  })
  const statusOf = async (path: string) => (await fetch(address + path).catch(() => null))?.status
  const titleAt = async (path: string) => {
    const answer = await fetch(`${address}api/pages/${path}`).catch(() => null)
    if (answer === null) return null
    const { summary = {} } = (await answer.json()) as { summary?: { title?: string } }
    return summary.title ?? answer.status
  }
  const rounds = () => said.match(AFRESH)?.length ?? 0
  const run = async (program: string, ...args: string[]) => {
    const { code, stdout, stderr } = await shell.run(program, args)
    assert.is(code, 0, stderr)
    return stdout
  }

  test.before(async () => {
    from = await testSite()
    to = await testSite()
    for (const path of ['wh', 'wh.a']) {
      await change(from.site, AS_ROOT, it => createPage(it, { path, document: document('first') }))
    }
    for (const [role, permission] of [
      ['nobody', 'view'],
      ['editors', 'post.edit'],
    ] as const) {
      await change(from.site, AS_ROOT, it => permitRole(it, { role, permission, pattern: 'wh.*' }))
    }
    shell = openShell(to.url)
    await shell.run('rm3backup', ['first'], { env: { RM3_PG: from.url } })
    await change(from.site, AS_ROOT, async it => {
      await createPage(it, { path: 'wh.b', document: document('second') })
    })
    await shell.run('rm3backup', ['second'], { env: { RM3_PG: from.url } })
    server = shell.start('rm3front', ['--no-demo'], { RM3_LISTEN_PORT: '0' })
    for (const stream of [server.stdout, server.stderr]) {
      stream?.on('data', text => {
        said += text
      })
    }
    await until(async () => /Ctrl-C stops it/.test(said), UNTIL_MS)
    address = /rm3 is at (\S+)/.exec(said)?.[1] ?? ''
  }, DEADLINE_MS)
  test.after(async () => {
    shell.close()
    await from.close()
    await to.close()
  })

  test(
    'begins afresh behind a load, with all its workers',
    async () => {
      assert.is(await statusOf('a/'), 404)
      const bulk = await openBulk({ url: to.url, site: TEST_SITE })
      // as a plugin's subscription has it
      await bulk.db.rows(`delete from checkpoints where kind = 'worker' and name = 'clean-up'`)
      await bulk.close()

      await run('rm3load', '-d', 'first')
      await until(async () => rounds() === 1, UNTIL_MS)
      await until(async () => (await statusOf('a/')) === 200, UNTIL_MS)

      assert.match(await run('rm3admin', 'worker', 'list'), /clean-up/)
      assert.is(await titleAt('wh.a'), 'first')
    },
    DEADLINE_MS,
  )

  test(
    'takes saves on what was loaded',
    async () => {
      await run('rm3admin', 'adduser', 'ann', 'Ann')
      await run('rm3admin', 'assign', 'ann', 'editors')
      const token = JSON.parse(await run('rm3admin', 'token', 'create', 'ann', '--json')).token
      const answer = await fetch(`${address}api/pages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ path: 'wh.new', ...document('new') }),
      })

      assert.is(answer.status, 201)
      assert.is(await titleAt('wh.new'), 'new')
    },
    DEADLINE_MS,
  )

  test(
    'begins afresh when its schema is made anew and loaded, and still ends as told',
    async () => {
      const bulk = await openBulk({ url: to.url, site: TEST_SITE })
      // the server works meanwhile, and what it holds may be wanted in another order
      const drop = () => bulk.db.script(`drop schema ${TEST_SITE} cascade`)
      await until(() => drop().then(() => true, isInTheWay), UNTIL_MS)
      await bulk.close()

      await until(async () => rounds() === 2, UNTIL_MS)
      await until(async () => (await statusOf('a/')) === 404, UNTIL_MS)
      await run('rm3load', '-d', 'second')
      await until(async () => (await titleAt('wh.b')) === 'second', UNTIL_MS)
      server.kill('SIGTERM')
      const code = await new Promise(done => server.once('close', done))

      assert.is(code, 0)
    },
    DEADLINE_MS,
  )
})

/** @returns false, so that it is tried again; throws what is no collision */
function isInTheWay(thrown: unknown): false {
  if (isCollision(thrown)) return false
  throw thrown
}
