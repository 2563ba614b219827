import { randomUUID } from 'node:crypto'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { assert, suite } from '../harness.ts'
import { page } from '../http/support.ts'
import { append, entry } from '../log/log-database.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { openShell, type Shell } from './run.ts'

interface Printed {
  readonly ok: boolean
  readonly fault: object | null
  readonly projections: {
    readonly findings: readonly { problem: string; stream: string; position: number }[]
    readonly left: number
  }
  readonly repaired: object | null
}

suite('rm3admin verify with events that cannot be folded', test => {
  let open: TestSite
  let shell: Shell
  const stream = randomUUID()
  let position = 0
  test.before(async () => {
    open = await testSite()
    shell = openShell(open.url)
    await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh', document: page('Home') }))
    // in the log as it should be, but for what it says: nobody ever made the page
    const data = '{"base":1,"hash":"","patch":[]}'
    const appended = await append(open.site.appender, [entry({ stream, data })])
    position = appended.position
  })
  test.after(async () => {
    await open.close()
    shell.close()
  })
  const verify = async (...args: string[]) => {
    const { code, stdout } = await shell.run('rm3admin', ['verify', ...args, '--json'])
    return { code, printed: JSON.parse(stdout) as Printed }
  }

  test('says where there is no site at all', async () => {
    const { code, stderr } = await shell.run('rm3admin', ['verify'], {
      env: { RM3_SITE: 'nowhere' },
    })

    assert.is(code, 10, stderr)
    assert.match(stderr, /no site "nowhere": .*RM3_SITE/)
  })

  test('ends with 13 and names stream and position, for people too', async () => {
    const { code, printed } = await verify()
    const told = await shell.run('rm3admin', ['verify'])

    assert.equal([code, printed.ok, printed.fault], [13, false, null])
    assert.equal(
      printed.projections.findings.map(it => [it.problem, it.stream, it.position]),
      [['unfoldable', stream, position]],
    )
    assert.is(told.code, 13)
    assert.match(told.stdout, new RegExp(`at position ${position} .*${stream}.* cannot be folded`))
  }, 60_000)

  test('says with --repair what it mended and what it cannot', async () => {
    const { db, close } = await openBulk({ url: open.url, site: TEST_SITE })
    await db.script(`update pages set title = 'altered'; drop table tags`)
    await close()

    const told = await shell.run('rm3admin', ['verify', '--repair'])
    const { code, printed } = await verify('--repair')

    assert.is(told.code, 13)
    assert.match(told.stdout, /Repaired: rows of 1 streams; 2 places still differ/)
    assert.match(told.stdout, /Not repaired: tags\./)
    assert.match(told.stdout, /load a backup from before/)
    assert.equal([code, printed.projections.left], [13, 2])
    assert.equal(printed.repaired, { streams: 0, rebuilt: [], unrepaired: ['tags'] })
  }, 60_000)
})
