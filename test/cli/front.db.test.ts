import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { logIn } from '../../src/commands/login.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { type TestSite, testSite } from '../support/database.ts'
import { ended, openShell, type Shell, said } from './run.ts'

suite('rm3front', test => {
  let open: TestSite
  let shell: Shell
  test.before(async () => {
    open = await testSite()
    shell = openShell(open.url)
  })
  test.after(async () => {
    await open.close()
    shell.close()
  })
  const ANY_PORT = { RM3_LISTEN_PORT: '0' }

  test('leaves an empty site empty with --no-demo', async () => {
    const child = shell.start('rm3front', ['--no-demo'], ANY_PORT)
    const text = await said(child, /Ctrl-C stops it/)
    const { code } = await stopped(child, 'SIGTERM')

    assert.is(code, 0)
    assert.not.match(text, /password/)
    assert.match(text, /It is empty: npx rm3load /)
    assert.is((await readHead(open.site.db)).position, 0)
  }, 60_000)

  test('makes the demonstration site, tells the password once, and finds it again', async () => {
    const first = shell.start('rm3front', [], ANY_PORT)
    const text = await said(first, /Ctrl-C stops it/)
    const address = /rm3 is at (\S+)/.exec(text)?.[1] ?? ''
    const ready = await fetch(`${address}health/ready`)
    await ready.text()
    const password = /^ {2}(\S+)$/m.exec(text)?.[1] ?? ''
    const login = await logIn(open.site, 'admin', password)
    const { code } = await stopped(first, 'SIGINT')
    const head = await readHead(open.site.db)
    const second = shell.start('rm3front', [], ANY_PORT)
    const again = await said(second, /Ctrl-C stops it/)
    await stopped(second, 'SIGINT')

    assert.ok(ready.ok)
    assert.is(login.account.path, 'wh.users.admin')
    assert.is(code, 0)
    assert.not.match(again, /password/)
    assert.ok(head.position > 50)
    assert.is((await readHead(open.site.db)).position, head.position)
  }, 60_000)

  test('refuses a taken port before it looks for a database', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { code, stdout, stderr } = await shell.run('rm3front', [], {
      env: { RM3_LISTEN_PORT: String(port), RM3_PG: 'postgresql://127.0.0.1:1/none' },
    })
    server.close()

    assert.equal([code, stdout], [11, ''])
    assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}.*PORT_IN_USE`))
  })

  test('says that a database is away', async () => {
    const { code, stderr } = await shell.run('rm3front', [], {
      env: { ...ANY_PORT, RM3_PG: 'postgresql://127.0.0.1:1/none' },
    })

    assert.is(code, 1)
    assert.match(stderr, /UNAVAILABLE/)
  })
})

suite('a signal', test => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${signal} ends a command that waits with ${code} and nothing on stdout`, async () => {
      const shell = openShell('postgresql://127.0.0.1:1/none')
      const child = shell.start('rm3load', ['-f', '-'])
      await new Promise(done => setTimeout(done, 1_500))
      const ran = await stopped(child, signal)
      shell.close()

      assert.is(ran.code, code)
      assert.is(ran.stdout, '')
      assert.match(ran.stderr, /interrupted/)
    })
  }
})

function stopped(child: ChildProcess, signal: NodeJS.Signals) {
  const end = ended(child)
  child.kill(signal)
  return end
}
