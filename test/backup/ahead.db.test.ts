import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../../src/backup/archive/file.ts'
import { writeArchive } from '../../src/backup/archive/write.ts'
import { aheadLines } from '../../src/cli/ahead-lines.ts'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { verifyLog } from '../../src/log/verify.ts'
import { openSite } from '../../src/open-site.ts'
import { openShell, type Shell } from '../cli/run.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE, type TestDatabase, testDatabase } from '../support/database.ts'
import { type FolderSite, folderSite } from './folder/folder-site.ts'
import { forge } from './folder/forge.ts'
import { edit, reseal } from './folder/reseal.ts'

const DEADLINE_MS = 120_000
const AHEAD = '2061-02-03T04:05:06.789Z'
const DOCUMENT = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
const SAYS = /recorded at 2061-02-03T04:05:06\.789Z, and here it is 20\d\d-/

let open: FolderSite
let to: TestDatabase
let shell: Shell

suite('a log that was recorded by a clock ahead of this one', test => {
  test.before(async () => {
    open = await folderSite()
    await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh', document: DOCUMENT }))
    const dir = await open.backup('ahead')
    forge(dir, event => ({ ...event, recordedAt: AHEAD }))
    reseal(dir, text => text.replace(/"recordedAt":"[^"]*"/, `"recordedAt":"${AHEAD}"`))
    to = await testDatabase()
    shell = openShell(to.url, open.folder)
  }, DEADLINE_MS)
  test.after(async () => {
    await to.drop()
    await open.close()
  })

  test('is told of where it is verified and loaded', async () => {
    const verified = await shell.run('rm3backup', ['verify', 'ahead'])
    const tried = await shell.run('rm3load', ['-d', 'ahead', '--dry-run'])
    const loaded = await shell.run('rm3load', ['-d', 'ahead'])

    for (const { code, stdout, stderr } of [verified, tried, loaded]) {
      assert.is(code, 0, stderr)
      assert.match(stdout, SAYS)
    }
  })

  test('goes on at that instant, and never back', async () => {
    const { site, close } = await openSite({ url: to.url, site: TEST_SITE, allowUnsafe: true })
    const before = new Date().toISOString()
    await change(site, AS_ROOT, it => createPage(it, { path: 'wh.a', document: DOCUMENT }))
    const [last] = await site.db.rows<{ at: string; recordedAt: string }>(
      'select at, recorded_at as "recordedAt" from log order by position desc limit 1',
    )

    assert.is(last?.recordedAt, AHEAD)
    assert.ok((last?.at ?? '') >= before && (last?.at ?? '') <= new Date().toISOString())
    assert.is((await readHead(site.db)).recordedAt, AHEAD)
    assert.is((await verifyLog(site.db)).fault, null)
    await close()
  })

  test('is told of where an archive of it is verified', async () => {
    await writeWhole(join(open.folder, 'ahead.rm3'), out =>
      writeArchive(
        { database: { url: to.url, site: TEST_SITE }, blobs: open.stores },
        { out, program: 'test' },
      ),
    )

    assert.match((await shell.run('rm3backup', ['verify', 'ahead.rm3'])).stdout, SAYS)
  })

  test('is put right in the histories of a backup, which is then loaded as edited', async () => {
    const other = await testDatabase()
    const dir = await open.backup('put-right')
    forge(dir, event => ({ ...event, recordedAt: AHEAD }))
    for (const name of readdirSync(dir).filter(it => /-data\.json$/.test(it))) {
      edit(dir, name, text => text.replaceAll(AHEAD, '2026-02-03T04:05:06.789Z'))
    }
    const { code, stdout, stderr } = await shell.run('rm3load', ['-d', 'put-right', '--edited'], {
      env: { RM3_PG: other.url },
    })

    assert.is(code, 0, stderr)
    assert.not.match(stdout, SAYS)
    await other.drop()
  })

  test('is none while clocks differ by some seconds', () => {
    const now = Date.parse('2026-01-01T00:00:00.000Z')

    assert.equal(aheadLines(null, now), [])
    assert.equal(aheadLines('2026-01-01T00:00:59.000Z', now), [])
    assert.is(aheadLines('2026-01-01T00:01:01.000Z', now).length, 1)
  })
})
