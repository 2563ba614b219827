import { resolve } from 'node:path'
import { logIn, speakerOfToken } from '../../src/commands/login.ts'
import { sharedData } from '../backup/legacy/shared-data.ts'
import { assert, rejection, suite } from '../harness.ts'
import { type TestSite, testSite } from '../support/database.ts'
import { openShell, type Shell } from './run.ts'

const found = sharedData('rm3admin loadtemplate')
const TEMPLATES = found === null ? null : resolve(found, 'rm3-templates')

suite('rm3admin', test => {
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
  const admin = (...args: string[]) => shell.run('rm3admin', args)
  const adminJson = <Printed>(...args: string[]) => shell.json<Printed>('rm3admin', args)

  test('makes a user with a password that is shown once and lets him in', async () => {
    const made = await adminJson<{ user: string; path: string; password: string }>(
      ...['adduser', 'Ann', 'Ann Lee', '-p', 'writes', '-e', 'ann@example.org'],
    )

    assert.equal([made.user, made.path], ['ann', 'wh.users.ann'])
    await logIn(open.site, 'ann@example.org', made.password)
    const again = await admin('adduser', 'ann', 'Another')
    assert.is(again.code, 14)
    assert.is(again.stdout, '')
    assert.is((await admin('adduser', 'bea', 'Bea', '-e', 'not an address')).code, 2)
    assert.is((await admin('adduser', 'bea', 'Bea', '-u', 'javascript:alert(1)')).code, 2)
  })

  test('takes a password from the line or from stdin, and does not repeat it', async () => {
    const given = await admin('adduser', 'bob', 'Bob', '--password', 'correct horse')
    const read = await shell.run('rm3admin', ['passwd', 'ann', '--password', '-'], {
      input: 'battery staple\n',
    })

    assert.equal([given.code, read.code], [0, 0])
    assert.not.match(given.stdout, /correct horse/)
    assert.not.match(read.stdout, /battery/)
    await logIn(open.site, 'bob', 'correct horse')
    await logIn(open.site, 'ann', 'battery staple')
    assert.is((await admin('passwd', 'ann', '--password', '')).code, 2)
    assert.is((await admin('passwd', 'nobody_here')).code, 10)
  }, 60_000)

  test('gives and takes roles and permissions, and tells of them', async () => {
    await admin('permit', 'editor', 'post.edit', 'wh.blog.*')
    await admin('permit', 'nobody', 'view', 'wh.!users.*')
    const assigned = await adminJson<{ changed: boolean }>('assign', 'ann', 'editor')
    const again = await adminJson<{ changed: boolean }>('assign', 'ann', 'editor')
    const users = await adminJson<{ items: { user: string }[]; next: null }>('roleusers', 'editor')
    const info = await adminJson<{ items: object[] }>('roleinfo', 'editor')
    const user = await adminJson<{ roles: string[]; credentials: object[] }>('userinfo', 'ann')

    assert.equal([assigned.changed, again.changed], [true, false])
    assert.equal([users.items.map(item => item.user), users.next], [['ann'], null])
    assert.equal(info.items, [{ permission: 'post.edit', pattern: 'wh.blog.*' }])
    assert.equal([user.roles, user.credentials.length], [['editor'], 1])
    assert.not.match(JSON.stringify(user), /scrypt/)
    assert.is((await admin('permit', 'editor', 'view', 'wh..x')).code, 2)
    assert.is((await admin('assign', 'zoe', 'editor')).code, 10)
  }, 60_000)

  test('explains why somebody may, what is missing, and how it was before', async () => {
    const before = await adminJson<Explained>('explain', 'ann', 'post.edit', 'wh.blog.x')
    await admin('deassign', 'ann', 'editor')
    const { head } = await adminJson<{ head: { position: number } }>('status')
    const after = await adminJson<Explained & { then: Explained }>(
      ...['explain', 'ann', 'post.edit', 'wh.blog.x', '--at', `position:${head.position - 1}`],
    )
    const nobody = await adminJson<Explained>('explain', 'nobody', 'view', 'wh')
    const users = await adminJson<Explained>('explain', 'nobody', 'view', 'wh.users.ann')

    const grant = { role: 'editor', permission: 'post.edit', pattern: 'wh.blog.*' }
    assert.equal([before.allowed, before.because], [true, [grant]])
    assert.equal([after.allowed, after.missing, after.then.allowed], [false, [grant], true])
    assert.equal([nobody.allowed, users.allowed], [true, false])
    assert.is((await admin('explain', 'ann', 'view', 'wh', '--at', 'revision:1')).code, 2)
  }, 60_000)

  test('makes tokens that work until they are revoked', async () => {
    const made = await adminJson<{ token: string; id: string; scope: string; expires: string }>(
      ...['token', 'create', 'ann', '--scope', 'read', '--expires', '30d', '--label', 'ci'],
    )
    const speaker = await speakerOfToken(open.site, made.token)
    const list = await adminJson<{ items: { id: string; label: string }[] }>('token', 'list', 'ann')
    const revoked = await admin('token', 'revoke', made.id)
    const error = await rejection(speakerOfToken(open.site, made.token))

    assert.is(made.scope, 'read')
    assert.ok(speaker.userId)
    assert.equal(
      list.items.map(({ id, label }) => [id, label]),
      [[made.id, 'ci']],
    )
    assert.not.match(JSON.stringify(list), new RegExp(made.token))
    assert.is(revoked.code, 0)
    assert.is((error as { code?: string }).code, 'TOKEN_INVALID')
    assert.is((await admin('token', 'revoke', made.id)).code, 10)
    assert.is((await admin('token', 'create', 'ann', '--scope', 'all')).code, 2)
    assert.is((await admin('token', 'create', 'ann', '--expires', '2001-01-01')).code, 2)
  }, 60_000)

  test('keeps settings as JSON or text', async () => {
    await admin('config', 'set', 'site.title', 'My site')
    await admin('config', 'set', 'my.size', '3')
    const all = await adminJson<{ items: object[] }>('config', 'get')
    const one = await admin('config', 'get', 'site.title')
    const none = await admin('config', 'get', 'site.nothing')

    assert.equal(all.items, [
      { key: 'my.size', value: 3 },
      { key: 'site.title', value: 'My site' },
    ])
    assert.is(one.stdout, 'My site\n')
    assert.equal([none.code, none.stdout], [10, ''])
    assert.is((await admin('config', 'set', 'Not a key', '1')).code, 2)
  }, 60_000)

  test('shows its state in the shape that scripts rely on', async () => {
    const status = await adminJson<Record<string, unknown> & { projections: object[] }>('status')

    assert.equal(Object.keys(status), [
      'database',
      'site',
      'head',
      'projections',
      'workers',
      'rebuild',
      'scrub',
      'backups',
    ])
    assert.ok(status.projections.length >= 8)
    assert.equal(status['workers'], [])
    assert.match((await admin('status')).stdout, /^Workers +none has run yet$/m)
  })

  test('steers the projections that follow', async () => {
    type Standing = { name: string; mode: string; kind: string; state: string; lag: number }
    const standings = async () =>
      (await adminJson<{ projections: Standing[] }>('status')).projections
    const paused = await adminJson('projection', 'pause', 'search')
    const search = (await standings()).find(({ name }) => name === 'search')
    const text = (await admin('status')).stdout
    await adminJson('projection', 'resume', 'search')

    assert.equal(paused, { name: 'search', done: true })
    assert.equal([search?.mode, search?.kind, search?.state], ['async', 'entity', 'paused'])
    assert.match(text, /search +version 1, paused at position 0, \d+ events \(\d+ s\) behind/)
    assert.match(text, /pages +version \d+, inline/)
    assert.is((await admin('projection', 'retry', 'search')).code, 1)
    assert.is((await admin('projection', 'pause', 'none')).code, 10)
    assert.is((await admin('projection', 'skip', 'search', 'x')).code, 2)
    assert.is((await admin('projection', 'forget', 'search', '--dry-run')).code, 1)
    assert.is((await admin('projection', 'forget', 'none')).code, 10)
    assert.is((await admin('projection', 'skip', 'search', '1', '--reason', 'x')).code, 1)
  }, 60_000)

  test('migrates any number of times', async () => {
    assert.equal(await adminJson('migrate'), { site: 'rm3', applied: [] })
  })

  test('diagnoses: each line ok, warn or fail, with what to do', async () => {
    const { code, stdout } = await admin('doctor')
    const wrong = await shell.run('rm3admin', ['doctor', '--json'], {
      env: { RM3_PG: 'postgresql://postgres@127.0.0.1:1/none' },
    })
    const bad = await shell.run('rm3admin', ['doctor'], { env: { RM3_LISTEN_PORTS: '1' } })

    assert.is(code, 0)
    assert.match(stdout, /^ok {4}database: PostgreSQL/m)
    assert.match(stdout, /^ok {4}schema/m)
    assert.is(wrong.code, 1)
    assert.is(JSON.parse(wrong.stdout).ok, false)
    assert.is(bad.code, 1)
    assert.match(bad.stdout, /RM3_LISTEN_PORTS is not a setting; is RM3_LISTEN_PORT meant/)
  }, 60_000)

  test('tells a bad setting and a database that is away apart', async () => {
    const bad = await shell.run('rm3admin', ['status'], { env: { RM3_SITE: 'pg_x' } })
    const away = await shell.run('rm3admin', ['status'], {
      env: { RM3_PG: 'postgresql://postgres:geheim@127.0.0.1:1/none' },
    })

    assert.equal([bad.code, away.code], [2, 1])
    assert.match(bad.stderr, /RM3_SITE/)
    assert.match(away.stderr, /UNAVAILABLE/)
    assert.not.match(away.stderr, /geheim/)
  })

  if (TEMPLATES !== null) {
    test('loads the templates of rm3 0.x, all or nothing', async () => {
      const access = resolve(TEMPLATES, 'base_access.json')
      const loaded = await adminJson<Record<string, unknown>>('loadtemplate', access, 'wh')
      const again = await admin('loadtemplate', access, 'wh')
      const meta = await admin('loadtemplate', resolve(TEMPLATES, 'meta.json'), 'wh')
      const none = await admin('loadtemplate', 'none.json', 'wh')

      assert.equal([loaded['users'], loaded['assignments'], loaded['grants']], [1, 1, 18])
      assert.is((await logIn(open.site, 'wirehead', 'password')).account.name, 'Test User')
      assert.equal([again.code, meta.code, none.code], [14, 0, 10])
      const dump = await shell.json<{ proto: string }>('rm3dump', ['wh.meta.dc.subject'])
      assert.is(dump.proto, 'predicate')
    }, 60_000)
  }

  test('finds, names and repairs what differs in projections, and builds them anew', async () => {
    await alterRows(open.url, 'page_history')
    const { code, stdout } = await admin('verify', '--json')
    const told = await admin('verify')
    const repaired = await adminJson<{ ok: boolean; repaired: { streams: number } }>(
      'verify',
      '--repair',
    )
    await alterRows(open.url, 'tags')
    const rebuilt = await adminJson<Rebuilt>('rebuild', 'pages', 'tags')
    const none = await admin('rebuild', 'nothing')

    const { projections } = JSON.parse(stdout) as { projections: { findings: { table: string }[] } }
    assert.equal([code, told.code], [13, 13])
    assert.match(told.stdout, /page_history .*\nrm3admin verify --repair mends them/s)
    assert.equal([...new Set(projections.findings.map(({ table }) => table))], ['page_history'])
    assert.equal([repaired.ok, repaired.repaired.streams > 0], [true, true])
    assert.equal(rebuilt.projections, ['pages', 'tags'])
    assert.equal(
      rebuilt.drift.map(({ table }) => table),
      ['tags'],
    )
    assert.is((await adminJson<{ ok: boolean }>('verify')).ok, true)
    assert.is(none.code, 2)
  })

  test('proves the log, and names the first position that was altered', async () => {
    const whole = await adminJson<{ ok: boolean; projections: { differences: number } }>('verify')
    await alter(open.url, 3)
    const { code, stdout } = await admin('verify', '--json')

    assert.equal([whole.ok, whole.projections.differences], [true, 0])
    assert.is(code, 13)
    assert.is(JSON.parse(stdout).fault.position, 3)
  })
})

interface Rebuilt {
  readonly projections: string[]
  readonly drift: { table: string; rows: number }[]
}

interface Explained {
  readonly allowed: boolean
  readonly because: readonly object[]
  readonly missing: readonly object[]
}

/** Changes one event as only a superuser can. */
async function alter(url: string, position: number): Promise<void> {
  const { default: pg } = await import('pg')
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('set search_path = rm3; set session_replication_role = replica')
    await client.query(`update log set note = 'altered' where position = $1`, [position])
  } finally {
    await client.end()
  }
}

/** Takes rows away, or adds some to a table that is empty. */
async function alterRows(url: string, table: 'page_history' | 'tags'): Promise<void> {
  const statement = {
    page_history: `update page_history set title = title || ' altered'`,
    tags: `insert into tags select gen_random_uuid(), 't', 'about', 'x', 'tag', 1, 1, 9007199254740991`,
  }[table]
  const { default: pg } = await import('pg')
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`set search_path = rm3; ${statement}`)
  await client.end()
}
