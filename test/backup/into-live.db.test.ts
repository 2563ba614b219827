import { planOfFolder } from '../../src/backup/folder/plan.ts'
import { demandWhole } from '../../src/backup/folder/tell.ts'
import { type IntoLiveOptions, putIntoLive } from '../../src/backup/into-live.ts'
import type { PageOutcome } from '../../src/backup/put-page.ts'
import { putBlob } from '../../src/blobs/store.ts'
import { attachBlob, detachBlob } from '../../src/commands/blobs.ts'
import { change, type Site } from '../../src/commands/change.ts'
import { erase } from '../../src/commands/erase.ts'
import {
  createPage,
  deletePage,
  movePage,
  publishPage,
  revisePage,
} from '../../src/commands/pages.ts'
import { readState } from '../../src/commands/states.ts'
import { documentOf } from '../../src/content/document.ts'
import type { Entity } from '../../src/content/state.ts'
import { readHead, readStream } from '../../src/log/read.ts'
import { verifyLog } from '../../src/log/verify.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { testEraser } from '../support/erasing.ts'
import { type FolderSite, folderSite } from './folder/folder-site.ts'

const document = (title: string) => ({
  proto: 'base',
  hidden: false,
  summary: { title },
  data: {},
  tags: {},
})

suite('a backup that is put into a site in use', test => {
  let open: FolderSite
  let other: TestSite
  let dir = ''
  const ids = new Map<string, string>()

  const did = (outcomes: readonly PageOutcome[]) =>
    Object.fromEntries(outcomes.map(({ path, did }) => [path, did]))
  const put = async (
    { site, url }: TestSite,
    options: Partial<IntoLiveOptions> = {},
    path: string | null = null,
  ) => {
    const plan = planOfFolder(dir, await demandWhole(dir), { path, present: false })
    const live = {
      ...{ site, database: { url, site: TEST_SITE } },
      projections: await discoverProjections(),
    }
    const { pages } = await putIntoLive(live, { ...AS_ROOT, note: 'from a backup' }, plan.appends, {
      dryRun: false,
      skipConflicts: false,
      bringBlobs: async () => {},
      ...options,
    })
    return pages
  }
  const make = async (path: string, draft = false) => {
    const made = await change(open.site, AS_ROOT, it =>
      createPage(it, { path, document: document(path), draft }),
    )
    ids.set(path, made.result.id)
  }
  const edit = (path: string, title: string, draft = false) =>
    change(open.site, AS_ROOT, async it => {
      const entity = (await it.entity(ids.get(path) ?? '')) as Entity
      const ifMatch = entity.sinceId ?? entity.tipId
      return revisePage(it, path, { ifMatch, edit: () => document(title), draft })
    })
  const state = async (site: Site, path: string) =>
    (await readState(site.db, ids.get(path) ?? '')) as Entity
  const titleOf = ({ live }: Entity) => live && documentOf(live.document).summary['title']

  test.before(async () => {
    open = await folderSite()
    other = await testSite()
    for (const path of ['wh', 'wh.a', 'wh.b', 'wh.c', 'wh.e', 'wh.f']) await make(path)
    for (const path of ['wh.draft', 'wh.ready']) await make(path, true)
    await edit('wh.a', 'second')
    await edit('wh.a', 'third', true)
    await change(open.site, AS_ROOT, it => publishPage(it, 'wh.a', 1))
    const blob = await putBlob(
      open.stores.public,
      (async function* () {
        yield Buffer.from('x')
      })(),
    )
    await change(open.site, AS_ROOT, it =>
      attachBlob(it, 'wh.c', { ...blob, name: 'x.txt', category: 'public' }),
    )
    dir = await open.backup('site')
    await edit('wh.a', 'later')
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.b'))
    await change(open.site, AS_ROOT, it => detachBlob(it, 'wh.c', 'x.txt'))
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.c', 'wh.z'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.e'))
    await change(open.site, AS_ROOT, it =>
      createPage(it, { path: 'wh.e', document: document('new') }),
    )
    await edit('wh.draft', 'better', true)
    await change(open.site, AS_ROOT, it => publishPage(it, 'wh.draft', 2))
    await change(open.site, AS_ROOT, it => publishPage(it, 'wh.ready', 1))
    await change(open.site, AS_ROOT, it =>
      createPage(it, { path: 'wh.new', document: document('new') }),
    )
  })
  test.after(async () => {
    await open.close()
    await other.close()
  })

  const WANTED = {
    ...{ wh: 'same', 'wh.a': 'revised', 'wh.b': 'undeleted', 'wh.c': 'files' },
    ...{ 'wh.draft': 'conflict', 'wh.e': 'conflict', 'wh.f': 'same', 'wh.ready': 'same' },
  }

  test('is tried without a change', async () => {
    const before = await readHead(open.site.db)

    const outcomes = await put(open, { dryRun: true })

    assert.equal(did(outcomes), WANTED)
    assert.is(outcomes.find(({ path }) => path === 'wh.c')?.at, 'wh.z')
    assert.equal(await readHead(open.site.db), before)
  })

  test('changes nothing while a page is in the way', async () => {
    const before = await readHead(open.site.db)

    const outcomes = await put(open)

    assert.equal(did(outcomes), WANTED)
    assert.equal(
      outcomes.flatMap(({ reason = [] }) => reason),
      ['published since', 'path taken'],
    )
    assert.equal(await readHead(open.site.db), before)
  })

  test('takes all back when a page comes into the way meanwhile', async () => {
    let before = await readHead(open.site.db)

    const outcomes = await put(
      open,
      {
        bringBlobs: async () => {
          await change(open.site, AS_ROOT, it =>
            createPage(it, { path: 'wh.b', document: document('faster') }),
          )
          before = await readHead(open.site.db)
        },
      },
      'wh.b',
    )

    assert.equal(did(outcomes), { 'wh.b': 'conflict' })
    assert.equal(await readHead(open.site.db), before)
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.b', 'wh.faster'))
  })

  test('revises what differs, brings back what was deleted, and deletes nothing', async () => {
    const outcomes = await put(open, { skipConflicts: true })

    assert.equal(did(outcomes), WANTED)
    assert.is(titleOf(await state(open.site, 'wh.a')), 'wh.a')
    assert.is((await state(open.site, 'wh.b')).state, 'live')
    assert.equal(Object.keys((await state(open.site, 'wh.c')).blobs), ['x.txt'])
    assert.is((await state(open.site, 'wh.e')).state, 'deleted')
    assert.is((await verifyLog(open.site.db)).fault, null)
  })

  test('changes nothing the second time', async () => {
    const before = await readHead(open.site.db)

    const outcomes = await put(open, { skipConflicts: true })

    assert.equal([...new Set(Object.values(did(outcomes)))].sort(), ['conflict', 'same'])
    assert.equal(await readHead(open.site.db), before)
  })

  test('brings pages that the site never had with their histories', async () => {
    const outcomes = await put(other, {}, 'wh.a')
    const again = await put(other, {}, 'wh.a')

    assert.equal(did(outcomes), { 'wh.a': 'imported' })
    assert.equal(did(again), { 'wh.a': 'same' })
    const events = await readStream(other.site.db, ids.get('wh.a') ?? '', { from: 1 })
    const original = await readStream(open.site.db, ids.get('wh.a') ?? '', { from: 1, to: 4 })
    assert.equal(
      events.map(({ eventId, type, at, actor }) => ({ eventId, type, at, actor })),
      original.map(({ eventId, type, at, actor }) => ({ eventId, type, at, actor })),
    )
    assert.is(titleOf(await state(other.site, 'wh.a')), 'wh.a')
  })

  test('lets others save between two pages, says how far it came, and does the rest when called again', async () => {
    const third = await testSite()
    const stop = new AbortController()
    const written: number[] = []
    const part = { dryRun: false, skipConflicts: true, heldMsMax: 0 }

    const error = await rejection(
      put(third, {
        ...part,
        signal: stop.signal,
        onProgress: (step, done) => {
          if (step === 'writing') written.push(done)
          if (written.length === 3) stop.abort(new Error('told to stop'))
        },
      }),
    )

    assert.match(String(error), /3 of \d pages were brought in.+run it again.+told to stop/)
    const rest = await put(third, part)
    assert.is(rest.filter(({ did }) => did === 'same').length, 3)
    assert.is((await verifyLog(third.site.db)).fault, null)
    await third.close()
  })

  test('passes over what comes into the way of a later part, and tells of it', async () => {
    const third = await testSite()

    const outcomes = await put(third, {
      heldMsMax: 0,
      bringBlobs: async () => {
        await change(third.site, AS_ROOT, it =>
          createPage(it, { path: 'wh.c', document: document('faster') }),
        )
      },
    })

    assert.is(did(outcomes)['wh.f'], 'imported')
    assert.equal(
      outcomes.filter(({ did }) => did === 'conflict').map(({ path }) => path),
      ['wh.c'],
    )
    await third.close()
  })

  test('a conflict goes when what is in the way goes', async () => {
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.e', 'wh.other'))

    assert.is(did(await put(open, { skipConflicts: true }))['wh.e'], 'undeleted')
  })
  test('what was erased here is not brought back', async () => {
    const { eraser, remove } = await testEraser(open)
    const erasing = async (path: string, wanted: 'whole' | number) =>
      erase(eraser, {
        ...{ entityId: ids.get(path) ?? '', actor: 'root', door: 'cli', reason: null },
        ...{ wanted: wanted === 'whole' ? wanted : new Set([wanted]), keepsShown: false },
      })
    const attached = (await state(open.site, 'wh.c')).blobs['x.txt']?.since ?? 0
    await erasing('wh.f', 'whole')
    await edit('wh.a', 'without')
    await erasing('wh.a', 1)
    await erasing('wh.c', 2) // as the backup has it
    await erasing('wh.c', attached)
    remove()

    const outcomes = await put(open, { skipConflicts: true })

    for (const path of ['wh.a', 'wh.c', 'wh.f']) {
      assert.is(outcomes.find(it => it.path === path)?.reason, 'erased since', path)
    }
  })
})
