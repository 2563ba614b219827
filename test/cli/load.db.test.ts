import { createHash } from 'node:crypto'
import { cpSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findAccountAtPath } from '../../projections/accounts.ts'
import { listBlobs } from '../../projections/blobs.ts'
import { listGrants } from '../../projections/grants.ts'
import { ROOT_VIEWER } from '../../src/access/viewer.ts'
import { hasBlob } from '../../src/blobs/store.ts'
import { canonicalJson, type Json } from '../../src/codec/json.ts'
import type { ImportProof } from '../../src/commands/import-proof.ts'
import { logIn } from '../../src/commands/login.ts'
import type { Import } from '../../src/log/imports.ts'
import { readHead } from '../../src/log/read.ts'
import { type OpenSite, openSite } from '../../src/open-site.ts'
import { readPage } from '../../src/queries/read-page.ts'
import { readWholeHistory, type WholeRevision } from '../../src/queries/whole-history.ts'
import { expectedOf, sharedData } from '../backup/legacy/shared-data.ts'
import { assert, rejection, suite } from '../harness.ts'
import { TEST_SITE, type TestDatabase, testDatabase } from '../support/database.ts'
import { openShell, type PrintedPage, type Shell } from './run.ts'

const found = sharedData('rm3load')
const data = found === null ? null : resolve(found)
const RENAMED: Record<string, string> = {
  edit: 'post.edit',
  delete: 'post.delete',
  comment: 'comment.create',
}

if (data !== null) {
  for (const [version, wanted] of Object.entries(expectedOf(data).upgradeFixtures)) {
    suite(`rm3load -d of ${version}`, test => {
      let database: TestDatabase
      let shell: Shell
      let open: OpenSite
      let summary: Loaded
      const dir = join(data, 'rm3-backups', version)

      test.before(async () => {
        database = await testDatabase()
        shell = openShell(database.url)
        summary = await shell.json<Loaded>('rm3load', ['-d', dir])
        open = await openSite({ url: database.url, site: TEST_SITE, allowUnsafe: true })
      })
      test.after(async () => {
        await open.close()
        await database.drop()
        shell.close()
      })

      test('ends with one summary of what was loaded and proved', async () => {
        const { chain, position, epoch } = await readHead(open.site.db)

        assert.equal(summary.head, { position, chain, epoch })
        assert.is(summary.proof.events, position)
        assert.is(summary.proof.documents, wanted.totals['contentRevisions'])
        assert.is(summary.proof.pages, wanted.totals['entities'])
        assert.ok(summary.losses.length > 5)
      })

      test('is one import, which can be told from the next', async () => {
        const { items } = await shell.json<{ items: Import[] }>('rm3admin', ['imports'])

        assert.equal(
          items.map(({ id, events, first, last }) => [id, events, first, last]),
          [[summary.importId, summary.head.position, 1, summary.head.position]],
        )
        assert.match(items[0]?.source ?? '', /^rm3 0\.\d/)
      })

      test('brings every revision with its id, author, time, note and content', async () => {
        for (const page of wanted.entities) {
          const revisions = await readWholeHistory(
            open.site.db,
            page.entityId,
            Number.MAX_SAFE_INTEGER,
          )
          const contents = revisions.filter(({ type }) => type.startsWith('Page'))

          assert.is(contents.length, page.revisionCount, page.path)
          for (const row of page.history.filter(({ evtClass }) => /Create|Update/.test(evtClass))) {
            const revision = revisions.find(({ revisionId }) => revisionId === row.revisionId)
            assert.is(revision?.at, row.evtStart)
            assert.is(revision?.note ?? '', row.note ?? '')
            assert.is(revision?.actor, await actorOf(row.actorPath))
            assert.is(hashOf(revision), row.toDataContentSha256)
          }
        }
      })

      test('shows each page as the old site did', async () => {
        for (const page of wanted.entities) {
          const answer = await readPage(open.site, ROOT_VIEWER, page.path)
          const record = answer.type === 'page' ? answer.page : null

          assert.is(record?.revisionId, page.headRevisionId)
          assert.is(record?.number, page.headRevisionNum)
          assert.is(record?.created, page.expectedCreated)
          assert.is(record?.modified, page.expectedModified)
          assert.is(record?.touched, page.expectedTouched)
          assert.is(record?.hidden, page.hiddenExpected)
        }
      })

      test('brings grants, roles and files', async () => {
        const grants = await listGrants(open.site.db)
        const meant = wanted.permissionGrants.map(([role, name, pattern]) =>
          [role, RENAMED[name] ?? name, pattern].join(' '),
        )

        assert.equal(
          grants.map(({ role, permission, pattern }) => `${role} ${permission} ${pattern}`).sort(),
          [...new Set(meant)].sort(),
        )
        for (const [path, roles] of Object.entries(wanted.conformance.rolesOfUser)) {
          const user = await shell.json<{ roles: string[] }>('rm3admin', [
            'userinfo',
            path.slice('wh.users.'.length),
          ])
          assert.equal(user.roles, roles)
        }
        for (const blob of wanted.blobs) {
          const page = wanted.entities.find(({ path }) => path === blob.entityPath)
          const files = await listBlobs(open.site.db, page?.entityId ?? '')
          const file = files.find(({ name }) => name === blob.blobPath)
          const store = { folder: join(shell.folder, 'data', 'blobs', blob.category) }
          assert.is(file?.sha256, blob.sha256)
          assert.ok(await hasBlob(store, blob.sha256))
        }
      })

      test('lets users in with their old passwords, by name and by e-mail address', async () => {
        const byName = await logIn(open.site, 'wirehead', 'password')
        const again = await logIn(open.site, 'nobody@wirewd.com', 'password')
        const wrong = await rejection(logIn(open.site, 'wirehead', 'pass'))

        assert.is(byName.account.path, 'wh.users.wirehead')
        assert.is(again.account.id, byName.account.id)
        assert.is((wrong as { code?: string }).code, 'LOGIN_FAILED')
      })

      test('lets the site be seen as of the original years', async () => {
        const first = wanted.entities
          .map(({ expectedTouched }) => expectedTouched)
          .sort()
          .at(0)
        const before = new Date(Date.parse(first ?? '') - 1).toISOString()
        const early = await shell.run('rm3dump', ['wh', '--at', before])
        const now = await shell.json<PrintedPage>('rm3dump', ['wh'])
        const then = await shell.json<PrintedPage>('rm3dump', ['wh', '--at', '2017-06-01'])

        assert.is(early.code, 10)
        assert.is(then.revisionId, now.revisionId)
        assert.is(then.touched, now.touched)
      })

      test('refuses a second load and says that it is here already', async () => {
        const { code, stderr, stdout } = await shell.run('rm3load', ['-d', dir])

        assert.is(code, 14)
        assert.is(stdout, '')
        assert.match(stderr, /holds this already/)
      })

      async function actorOf(path: string): Promise<string> {
        if (!path.includes('.')) return path
        return (await findAccountAtPath(open.site.db, path))?.id ?? '(nobody)'
      }
    })
  }

  suite('rm3load -d into an empty site', test => {
    const backup = join(data, 'rm3-backups', 'v0.3.8')
    let database: TestDatabase
    let shell: Shell
    test.before(async () => {
      database = await testDatabase()
      shell = openShell(database.url)
    })
    test.after(async () => {
      await database.drop()
      shell.close()
    })
    const position = async () => {
      const { head } = await shell.json<{ head: { position: number } }>('rm3admin', ['status'])
      return head.position
    }

    test('leaves nothing behind after --dry-run, which proves the same', async () => {
      const { dryRun, loaded, proof } = await shell.json<Loaded>('rm3load', [
        '-d',
        backup,
        '--dry-run',
      ])

      assert.equal([dryRun, loaded, proof.events], [true, false, 43])
      assert.is(await position(), 0)
    })

    test('refuses a backup that lacks a file or has bad JSON, and changes nothing', async () => {
      const copy = join(shell.folder, 'copy')
      cpSync(backup, copy, { recursive: true })
      writeFileSync(join(copy, 'wh.blog-data.json'), '{"path": ')
      const { code, stderr, stdout } = await shell.run('rm3load', ['-d', copy])

      assert.is(code, 3)
      assert.is(stdout, '')
      assert.match(stderr, /wh\.blog-data\.json.*SOURCE_DAMAGED/s)
      assert.is(await position(), 0)
    })

    test('refuses a folder that is not there with 10, and two sources or none with 2', async () => {
      assert.is((await shell.run('rm3load', ['-d', join(shell.folder, 'no')])).code, 10)
      assert.is((await shell.run('rm3load', ['-d', backup, '-f', '-'])).code, 2)
      assert.is((await shell.run('rm3load', [])).code, 2)
    })

    test('leaves an empty site when it is killed, and loads when called again', async () => {
      for (const ms of [150, 220, 260, 300, 340]) {
        const child = shell.start('rm3load', ['-d', backup])
        await new Promise(done => setTimeout(done, ms))
        child.kill('SIGKILL')
        await new Promise(done => child.once('close', done))
        assert.ok([0, 43].includes(await position()), `killed after ${ms} ms`)
      }
      await shell.run('rm3load', ['-d', backup])
      const { ok, events } = await shell.json<{ ok: boolean; events: number }>('rm3admin', [
        'verify',
      ])

      assert.equal([ok, events], [true, 43])
    }, 60_000)
  })

  suite('rm3load -d of a part', test => {
    const backup = join(data, 'rm3-backups', 'v0.3.8')
    let database: TestDatabase
    let shell: Shell
    test.before(async () => {
      database = await testDatabase()
      shell = openShell(database.url)
    })
    test.after(async () => {
      await database.drop()
      shell.close()
    })

    test('takes only the pages below -p', async () => {
      const args = ['-d', backup, '-p', 'wh.blog', '--dry-run']
      const { proof } = await shell.json<Loaded>('rm3load', args)
      const none = await shell.run('rm3load', ['-d', backup, '-p', 'wh.nothing', '--dry-run'])

      assert.equal([proof.pages, proof.documents, proof.grants], [4, 5, 0])
      assert.is(none.code, 10)
    })

    test('takes each page once with --nohistory, and everything in force', async () => {
      const { proof } = await shell.json<Loaded>('rm3load', ['-d', backup, '--nohistory'])
      const page = await shell.json<PrintedPage>('rm3dump', ['wh.blog', '-l'])

      assert.equal([proof.pages, proof.documents], [19, 19])
      assert.equal([proof.grants, proof.roles, proof.credentials], [18, 1, 1])
      assert.is(page.history.length, 1)
      assert.is(page.revisionNum, 2)
    })
  })
}

/** What `rm3load -d --json` prints. */
interface Loaded {
  readonly loaded: boolean
  readonly dryRun: boolean
  readonly proof: ImportProof
  readonly head: { readonly position: number; readonly chain: string; readonly epoch: string }
  readonly losses: readonly string[]
  readonly importId: string
}

function hashOf(revision: WholeRevision | undefined): string {
  const { summary, data, tags } = (revision?.data['document'] ?? {}) as Record<string, Json>
  return createHash('sha256')
    .update(canonicalJson({ summary, data, tags } as Json))
    .digest('hex')
}
