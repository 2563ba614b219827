import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findAccountAtPath } from '../../projections/accounts.ts'
import { ROOT_VIEWER } from '../../src/access/viewer.ts'
import type { Counts } from '../../src/backup/folder/format.ts'
import { logIn } from '../../src/commands/login.ts'
import { type OpenSite, openSite } from '../../src/open-site.ts'
import { readPage } from '../../src/queries/read-page.ts'
import { assert, suite } from '../harness.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { openShell, type Shell } from './run.ts'

const AT = '2026-01-02T03:04:05.678Z'

interface BackupPrinted {
  readonly position: number
  readonly chain: string
  readonly counts: Counts
}
interface LoadPrinted {
  readonly events: number
  readonly head: { position: number; chain: string }
  readonly proof: { chainEqual: boolean; projections: readonly string[] }
}

suite('rm3backup and rm3load of a folder', test => {
  let database: TestDatabase
  let shell: Shell
  let backup: BackupPrinted

  const page = (title: string) => {
    const ids = { entityId: randomUUID(), revisionId: randomUUID() }
    const times = { created: AT, modified: AT }
    return JSON.stringify({
      ...ids,
      ...times,
      path: 'wh.x',
      proto: 'base',
      summary: { title },
      data: {},
      tags: {},
    })
  }
  const to = (site: string) => ({ env: { RM3_SITE: site } })
  const opened = async (site: string, work: (open: OpenSite) => Promise<void>) => {
    const open = await openSite({ url: database.url, site, allowUnsafe: true })
    await work(open).finally(() => open.close())
  }

  test.before(async () => {
    database = await testDatabase()
    shell = openShell(database.url)
    for (const path of ['wh', 'wh.a', 'wh.a.b', 'wh.gone']) {
      const { code } = await shell.run('rm3load', ['-f', '-', '-p', path], { input: page(path) })
      assert.is(code, 0)
    }
    await shell.run('rm3mv', ['wh.a', 'wh.moved'])
    await shell.run('rm3rm', ['wh.gone', '-Y'])
    await shell.run('rm3admin', ['adduser', 'ann', 'Ann', '--password', 'open sesame'])
    backup = await shell.json<BackupPrinted>('rm3backup', ['site'])
  })
  test.after(async () => {
    await database.drop()
    shell.close()
  })

  test('the backup is whole, without a database', async () => {
    const verified = await shell.run('rm3backup', ['verify', 'site'], {
      env: { RM3_PG: 'postgresql://127.0.0.1:1/none' },
    })

    assert.is(verified.code, 0)
    assert.match(verified.stdout, backup.chain)
    assert.is(backup.counts.deleted, 1)
    assert.is(backup.counts.live, 4)
  })

  test('the proof may be of sizes only, or of parts, and says so', async () => {
    const quick = await shell.run('rm3backup', ['verify', 'site', '--quick'])
    const part = await shell.json<{ ok: boolean; extent: string }>('rm3backup', [
      ...['verify', 'site', '--subset', '2/7'],
    ])

    assert.is(quick.code, 0, quick.stderr)
    assert.match(quick.stdout, /as far as it was looked at.*the catalog alone was read/s)
    assert.equal([part.ok, part.extent], [true, '2/7'])
    for (const odd of [
      ['--subset', '3/2'],
      ['--subset', '0/2'],
      ['--subset', '1/2', '--quick'],
    ]) {
      assert.is((await shell.run('rm3backup', ['verify', 'site', ...odd])).code, 2)
    }
    assert.is((await shell.run('rm3backup', ['verify', '-', '--quick'])).code, 2)
    assert.is((await shell.run('rm3backup', ['verify', 'nothing', '--quick'])).code, 10)
  })

  test('a folder that is there is refused', async () => {
    assert.is((await shell.run('rm3backup', ['site'])).code, 14)
    assert.is((await shell.run('rm3backup', ['no/such/folder'])).code, 10)
    assert.is((await shell.run('rm3backup', ['other', '-c', 'many'])).code, 2)
    assert.is((await shell.run('rm3backup', ['other', '--at', 'position:999'])).code, 2)
    assert.is(existsSync(join(shell.folder, 'other.partial')), false)
  })

  test('nothing is no backup: a path or a time that was mistyped', async () => {
    const mistyped = [
      { arguments: ['other', '-p', 'wh.none'], code: 10, text: 'nothing at or below wh.none' },
      { arguments: ['other', '-p', 'wh.gone', '--snapshot'], code: 10, text: 'wh.gone' },
      { arguments: ['other', '--at', '1990'], code: 2, text: 'nothing yet as of 1990' },
      { arguments: ['-'], code: 2, text: '--archive -' },
    ]
    for (const { arguments: given, code, text } of mistyped) {
      const told = await shell.run('rm3backup', given)
      assert.is(told.code, code)
      assert.match(told.stderr, text)
    }
    assert.is(existsSync(join(shell.folder, 'other.partial')), false)
    assert.is((await shell.run('rm3backup', ['gone', '-p', 'wh.gone'])).code, 0)
  })

  test('it loads into an empty site, once, with the proof', async () => {
    const tried = await shell.run('rm3load', ['-d', 'site', '--dry-run'], to('second'))
    const loaded = await shell.run('rm3load', ['-d', 'site', '--json'], to('second'))
    const again = await shell.run('rm3load', ['-d', 'site'], to('second'))

    assert.is(tried.code, 0)
    assert.match(tried.stdout, /^Dry run/)
    const { head, proof, events } = JSON.parse(loaded.stdout) as LoadPrinted
    assert.is(head.chain, backup.chain)
    assert.is(events, backup.position)
    assert.is(proof.chainEqual, true)
    assert.ok(proof.projections.includes('pages'))
    assert.is(again.code, 14)
    assert.match(again.stderr, 'already')
    await opened('second', async ({ site }) => {
      assert.ok(await logIn(site, 'ann', 'open sesame'))
      assert.ok((await findAccountAtPath(site.db, 'wh.users.ann')) !== null)
      assert.is((await readPage(site, ROOT_VIEWER, 'wh.moved.b')).type, 'page')
      assert.is((await readPage(site, ROOT_VIEWER, 'wh.gone')).type, 'gone')
    })
  })

  test('a subtree, or the present alone, loads as a new log', async () => {
    const subtree = await shell.run('rm3load', ['-d', 'site', '-p', 'wh.moved.b'], to('third'))
    const proved = await shell.run('rm3admin', ['verify'], to('third'))
    const present = await shell.run('rm3load', ['-d', 'site', '--nohistory'], to('fourth'))
    await shell.run('rm3backup', ['now', '--snapshot'])
    const snapshot = await shell.run('rm3load', ['-d', 'now'], to('fifth'))
    const nothing = await shell.run('rm3load', ['-d', 'site', '-p', 'wh.none'], to('sixth'))

    assert.equal([subtree.code, present.code, snapshot.code, nothing.code], [0, 0, 0, 10])
    assert.match(subtree.stdout, /with 0 files; not in it: wh, wh\.moved$/m)
    assert.is(proved.code, 0, proved.stderr)
    await opened('third', async ({ site }) => {
      assert.is((await readPage(site, ROOT_VIEWER, 'wh.moved.b')).type, 'page')
      assert.is((await readPage(site, ROOT_VIEWER, 'wh')).type, 'absent')
    })
    for (const name of ['fourth', 'fifth']) {
      await opened(name, async ({ site }) => {
        assert.ok(await logIn(site, 'ann', 'open sesame'))
        assert.is((await readPage(site, ROOT_VIEWER, 'wh.gone')).type, 'absent')
      })
    }
  }, 90_000)

  test('what is damaged is named, and nothing is loaded', async () => {
    await shell.run('rm3backup', ['bad'])
    appendFileSync(join(shell.folder, 'bad', 'wh.moved-data.json'), ' ')

    const verified = await shell.run('rm3backup', ['verify', 'bad'])
    const loaded = await shell.run('rm3load', ['-d', 'bad'], to('seventh'))

    assert.is(verified.code, 13)
    assert.match(verified.stdout, /file-size wh\.moved-data\.json/)
    assert.is(loaded.code, 13)
    assert.match(loaded.stderr, /wh\.moved-data\.json/)
    assert.not.match(loaded.stderr, /\n\s+at /)
  })

  test('a backup of a newer rm3 is refused as such', async () => {
    await shell.run('rm3backup', ['newer'])
    const path = join(shell.folder, 'newer', 'catalog.json')
    const text = readFileSync(path, 'utf8').replace('"version":"1.0"', '"version":"2.0"')
    writeFileSync(path, text)

    assert.is((await shell.run('rm3load', ['-d', 'newer'], to('eighth'))).code, 15)
    assert.is((await shell.run('rm3backup', ['verify', 'newer'])).code, 15)
  })
})
