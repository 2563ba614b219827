import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { listGrants } from '../../../projections/grants.ts'
import { ROOT_VIEWER } from '../../../src/access/viewer.ts'
import { readEdited } from '../../../src/backup/folder/edited-files.ts'
import { editedLog, RESTARTED } from '../../../src/backup/folder/edited-log.ts'
import { besideFolder } from '../../../src/backup/folder/load.ts'
import { verifyFolder } from '../../../src/backup/folder/verify.ts'
import { writeBackupFolder } from '../../../src/backup/folder/write.ts'
import { restoreEvents } from '../../../src/backup/restore-events.ts'
import type { JsonObject } from '../../../src/codec/json.ts'
import { change } from '../../../src/commands/change.ts'
import { createPage, revisePage } from '../../../src/commands/pages.ts'
import { permitRole } from '../../../src/commands/rights.ts'
import { readState } from '../../../src/commands/states.ts'
import { SETTINGS_STREAM } from '../../../src/content/events.ts'
import type { Settings } from '../../../src/content/state.ts'
import { readHead, readStream } from '../../../src/log/read.ts'
import { verifyLog } from '../../../src/log/verify.ts'
import { type OpenSite, openSite } from '../../../src/open-site.ts'
import { discoverProjections } from '../../../src/projector/discover.ts'
import { readPage } from '../../../src/queries/read-page.ts'
import { assert, suite } from '../../harness.ts'
import { AS_ROOT, TEST_SITE, testDatabase } from '../../support/database.ts'
import { refused } from '../../support/refused.ts'
import { type FolderSite, folderSite } from './folder-site.ts'

const document = (title: string) => ({
  proto: 'base',
  hidden: false,
  summary: { title },
  data: {},
  tags: {},
})
const NOW = '2031-02-03T04:05:06.789Z'

let open: FolderSite
let whole = ''
let copies = 0

function copy(): string {
  const dir = join(open.folder, `copy-${copies++}`)
  cpSync(whole, dir, { recursive: true })
  return dir
}

/** Edits a file as a JSON value, and lays it out anew. */
function edit(
  dir: string,
  name: string,
  change: (value: JsonObject & { history: JsonObject[] }) => void,
): void {
  const value = JSON.parse(readFileSync(join(dir, name), 'utf8')) as JsonObject & {
    history: JsonObject[]
  }
  change(value)
  writeFileSync(join(dir, name), JSON.stringify(value, null, 4))
}

async function logOf(dir: string) {
  return editedLog(await readEdited(dir), { now: NOW, newId: uuidv7 })
}

suite('a backup that was changed by hand', test => {
  test.before(async () => {
    open = await folderSite()
    for (const path of ['wh', 'wh.a', 'wh.b', 'wh.c']) {
      await change(open.site, AS_ROOT, it => createPage(it, { path, document: document(path) }))
    }
    await change(open.site, AS_ROOT, async it => {
      const id = (await it.liveIdAt('wh.a')) ?? ''
      const ifMatch = (await it.entity(id))?.sinceId ?? ''
      return revisePage(it, 'wh.a', { ifMatch, edit: () => document('second') })
    })
    await change(open.site, AS_ROOT, it =>
      permitRole(it, { role: 'nobody', permission: 'view', pattern: '*' }),
    )
    whole = await open.backup('whole')
  })
  test.after(() => open.close())

  test('but only laid out anew is what it was', async () => {
    const dir = copy()
    edit(dir, 'wh.a-data.json', () => {})

    const { events, differences } = await logOf(dir)

    assert.equal(differences, [])
    assert.is(events.at(-1)?.chain, (await readHead(open.site.db)).chain)
  })

  test('loads with what was edited, and says so', async () => {
    const dir = copy()
    edit(dir, 'wh.a-data.json', it => {
      it['summary'] = { title: 'edited' }
      it['path'] = 'wh.moved'
      it['created'] = '2001-01-01T00:00:00.000Z'
    })
    edit(dir, 'wh-data.json', ({ history }) => {
      ;(history[0] as JsonObject)['note'] = 'edited'
    })
    edit(dir, 'permissions.json', it => {
      it['permits'] = [{ type: 'permit', role: 'editor', permission: 'view', path: '*' }]
    })
    rmSync(join(dir, 'wh.b-data.json'))
    cpSync(join(dir, 'wh.c-data.json'), join(dir, 'wh.copy-data.json'))
    edit(dir, 'wh.copy-data.json', it => {
      it['path'] = 'wh.copy'
    })
    writeFileSync(
      join(dir, 'wh.new-data.json'),
      JSON.stringify({
        path: 'wh.new',
        proto: 'base',
        summary: { title: 'new' },
        data: {},
        tags: {},
      }),
    )

    const loaded = await load(dir)

    assert.equal(loaded.told, [
      'added wh.copy-data.json',
      'added wh.new-data.json',
      'event wh-data.json/history/0',
      'ignored wh.a-data.json/created',
      'record permissions.json/permits',
      'record wh.a-data.json/path',
      'record wh.a-data.json/summary',
      'removed wh.b-data.json',
    ])
    await loaded.end(async ({ site }) => {
      const titleAt = async (path: string) => {
        const answer = await readPage(site, ROOT_VIEWER, path)
        return answer.type === 'page' ? JSON.parse(answer.page.summary).title : answer.type
      }
      assert.is(await titleAt('wh.moved'), 'edited')
      assert.is(await titleAt('wh.a'), 'moved')
      assert.is(await titleAt('wh.b'), 'absent')
      assert.is(await titleAt('wh.copy'), 'wh.c')
      assert.is(await titleAt('wh.new'), 'new')
      assert.equal(
        (await listGrants(site.db)).map(({ role }) => role),
        ['editor'],
      )
      const [first] = await readStream(site.db, (await idAt(site, 'wh')) ?? '', { from: 1 })
      assert.is(first?.note, 'edited')
      const { values } = (await readState(site.db, SETTINGS_STREAM)) as Settings
      const restarted = values[RESTARTED]?.value as { from: object } | undefined
      assert.equal(restarted?.from, await place())
      assert.is((await verifyLog(site.db)).fault, null)
      const again = join(open.folder, `again-${copies++}`)
      await writeBackupFolder(
        { url: loaded.url, site: TEST_SITE, stores: open.stores },
        { dir: again, program: 'rm3 test' },
      )
      assert.equal((await verifyFolder(again)).findings, [])
    })
  })

  test('is refused where it does not fit together, naming the file', async () => {
    const [patched, twice, noBlob, noPath] = [copy(), copy(), copy(), copy()]
    edit(patched, 'wh.a-data.json', ({ history }) => history.shift())
    cpSync(join(twice, 'wh.c-data.json'), join(twice, 'wh.d-data.json'))
    writeFileSync(join(noBlob, 'notes.txt'), '')
    edit(noPath, 'wh.a-data.json', it => {
      it['path'] = '../etc'
    })

    for (const [dir, file] of [
      [patched, 'wh.a-data.json/history/0'],
      [twice, 'wh.d-data.json'],
      [noBlob, 'notes.txt'],
      [noPath, 'wh.a-data.json'],
    ] as const) {
      const error = await refused(logOf(dir))
      assert.is(error.code, 'BACKUP_DAMAGED')
      assert.ok(error.message.startsWith(file), error.message)
    }
  })
})

async function place() {
  const { position, chain, recordedAt } = await readHead(open.site.db)
  return { position, chain, recordedAt }
}

async function idAt(site: OpenSite['site'], path: string): Promise<string | null> {
  const answer = await readPage(site, ROOT_VIEWER, path)
  return answer.type === 'page' ? answer.page.entityId : null
}

async function load(dir: string) {
  const { url, drop } = await testDatabase()
  const log = await logOf(dir)
  await restoreEvents(
    { url, site: TEST_SITE },
    { events: log.events, beside: besideFolder(dir), stores: open.stores },
    { projections: await discoverProjections(), allowUnsafe: true },
  )
  return {
    url,
    told: log.differences.map(({ file, what, place }) => `${what} ${file}${place}`).sort(),
    end: async (look: (opened: OpenSite) => Promise<void>) => {
      const opened = await openSite({ url, site: TEST_SITE, allowUnsafe: true })
      await look(opened).finally(() => opened.close())
      await drop()
    },
  }
}
