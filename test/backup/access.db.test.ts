import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listGrants } from '../../projections/grants.ts'
import { startSession } from '../../src/access/sessions.ts'
import { writeWhole } from '../../src/backup/archive/file.ts'
import { writeArchive } from '../../src/backup/archive/write.ts'
import { writeBackupFolder } from '../../src/backup/folder/write.ts'
import { addUser, recordPassword } from '../../src/commands/accounts.ts'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { assignUser, permitRole } from '../../src/commands/rights.ts'
import { openSite } from '../../src/open-site.ts'
import { FOREVER } from '../../src/projector/define.ts'
import { openShell, type Shell } from '../cli/run.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE, type TestDatabase, testDatabase } from '../support/database.ts'
import { type FolderSite, folderSite } from './folder/folder-site.ts'

const DEADLINE_MS = 120_000
const DOCUMENT = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }

interface Loaded {
  readonly head: { readonly position: number; readonly chain: string }
  readonly proof: { readonly chainEqual?: boolean }
  readonly access: null | {
    readonly grants: number
    readonly mayGrant: readonly string[]
    readonly items: readonly object[]
  }
}

let open: FolderSite
let position = 0

/** How the backup of somebody else comes in. */
const DOORS: Readonly<Record<string, () => string[]>> = {
  'a folder': () => ['-d', join(open.folder, 'whole')],
  'an archive': () => ['--archive', join(open.folder, 'whole.rm3')],
  'a part of a folder': () => ['-d', join(open.folder, 'whole'), '-p', 'wh.users'],
  'the present of a folder': () => ['-d', join(open.folder, 'whole'), '--nohistory'],
  'the present of an archive': () => ['--archive', join(open.folder, 'whole.rm3'), '--nohistory'],
  'a folder that may have been edited': () => ['-d', join(open.folder, 'whole'), '--edited'],
}

suite('the backup of somebody else', test => {
  test.before(async () => {
    open = await folderSite()
    const { site } = open
    await change(site, AS_ROOT, async it => {
      for (const path of ['wh', 'wh.users', 'wh.a'])
        await createPage(it, { path, document: DOCUMENT })
    })
    await change(site, AS_ROOT, async it => {
      const user = await addUser(it, { login: 'mallory', fullName: 'M' })
      await assignUser(it, user.id, 'boss')
      await recordPassword(it, user, 'let me in, please')
    })
    for (const permission of ['view', 'grant']) {
      await change(site, AS_ROOT, it => permitRole(it, { role: 'boss', permission, pattern: '*' }))
    }
    const from = { url: open.url, site: TEST_SITE, stores: open.stores }
    const { head } = await writeBackupFolder(from, {
      ...{ program: 'test', dir: join(open.folder, 'whole') },
    })
    position = head.position
    await writeWhole(join(open.folder, 'whole.rm3'), out =>
      writeArchive(
        { database: { url: open.url, site: TEST_SITE }, blobs: open.stores },
        { out, program: 'test' },
      ),
    )
  }, DEADLINE_MS)
  test.after(() => open.close())

  for (const door of ['a folder', 'an archive']) {
    test(`says in a dry run of ${door} who may what by it`, () =>
      loaded(async shell => {
        const args = [...(DOORS[door]?.() ?? []), '--dry-run']
        const { stdout } = await shell.run('rm3load', args)
        const { access } = await shell.json<Loaded>('rm3load', args)

        assert.match(stdout, /wh\.users\.mallory: boss, a password/)
        assert.match(stdout, /may give rights: boss/)
        assert.match(stdout, /--without-access/)
        assert.equal(access?.mayGrant, ['boss'])
        assert.equal(access?.items, [
          { path: 'wh.users.mallory', roles: ['boss'], credentials: { password: 1 } },
        ])
      }))
  }

  for (const [door, argsOf] of Object.entries(DOORS)) {
    test(
      `comes in from ${door} with nobody who may anything, and proved`,
      () =>
        loaded(async (shell, { url }) => {
          await shell.json<Loaded>('rm3load', [...argsOf(), '--without-access'])
          const verified = await shell.run('rm3admin', ['verify'])

          assert.is(verified.code, 0, verified.stdout + verified.stderr)
          assert.equal(await accessIn(url), { grants: [], roles: 0, credentials: 0, secrets: 0 })
        }),
      DEADLINE_MS,
    )
  }

  test(
    'is the same log up to its end, and loaded again it is there already',
    () =>
      loaded(async (shell, { url }) => {
        const args = ['-d', join(open.folder, 'whole'), '--without-access']
        const { head, proof } = await shell.json<Loaded>('rm3load', args)

        assert.ok(head.position > position)
        assert.is(proof.chainEqual, true)
        assert.is(await chainAt(url, position), await chainAt(open.url, position))
        assert.is((await shell.run('rm3load', args)).code, 14)
      }),
    DEADLINE_MS,
  )

  test('never holds a session, nor keys and counts of requests', async () => {
    const { db } = open.site
    await db.script(`insert into idempotency_keys (actor, key, request, body) values ('x', 'canary-key', 'canary-request', 'canary-body');
      insert into rate_limits values ('canary-limit', 1, now())`)
    const [found] = await db.rows<{ id: string; credential: string }>(
      'select entity_id as id, credential from credentials',
    )
    const cookie = (await startSession(db, found?.id ?? '', found?.credential ?? '')) ?? ''
    const [session] = await db.rows<{ hash: string }>(
      `select encode(session_hash, 'hex') as hash from sessions`,
    )
    const dir = await open.backup('later')
    const all = readdirSync(dir).map(name => readFileSync(join(dir, name), 'utf8'))

    assert.ok(cookie.length > 20 && (session?.hash.length ?? 0) > 40)
    assert.not.ok(all.join().includes(cookie))
    assert.not.ok(all.join().includes(session?.hash ?? ''))
    assert.not.match(all.join(), /canary/)
  })

  test('is not what comes into a site in use, from git or from a page', () =>
    loaded(async shell => {
      for (const args of [
        ['-d', 'x', '--into-live'],
        ['--git', 'x'],
        ['-f', 'x'],
      ]) {
        const { code, stderr } = await shell.run('rm3load', [...args, '--without-access'])
        assert.is(code, 2, stderr)
      }
    }))
})

async function loaded(use: (shell: Shell, to: TestDatabase) => Promise<void>): Promise<void> {
  const to = await testDatabase()
  const shell = openShell(to.url)
  try {
    await use(shell, to)
  } finally {
    shell.close()
    await to.drop()
  }
}

const COUNTS = `select
  (select count(*) from role_members where until_position = ${FOREVER}) as roles,
  (select count(*) from credentials where until_position = ${FOREVER}) as credentials,
  (select count(*) from credential_secrets) as secrets`

async function accessIn(url: string) {
  const { site, close } = await openSite({ url, site: TEST_SITE, allowUnsafe: true })
  try {
    const [counts] = await site.db.rows<object>(COUNTS)
    return { grants: await listGrants(site.db), ...counts }
  } finally {
    await close()
  }
}

async function chainAt(url: string, at: number): Promise<unknown> {
  const { site, close } = await openSite({ url, site: TEST_SITE, allowUnsafe: true })
  try {
    const [row] = await site.db.rows<{ chain: string }>(
      `select encode(chain, 'hex') as chain from log where position = $1::bigint`,
      [at],
    )
    return row?.chain
  } finally {
    await close()
  }
}
