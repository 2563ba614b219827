import fc from 'fast-check'
import { besideFolder } from '../../src/backup/folder/load.ts'
import { eventsOfPart, planOfFolder } from '../../src/backup/folder/plan.ts'
import { demandWhole } from '../../src/backup/folder/tell.ts'
import { putIntoLive } from '../../src/backup/into-live.ts'
import { partLog } from '../../src/backup/part-log.ts'
import { restoreEvents } from '../../src/backup/restore-events.ts'
import { change } from '../../src/commands/change.ts'
import { erase } from '../../src/commands/erase.ts'
import { createPage } from '../../src/commands/pages.ts'
import { readState, readStates } from '../../src/commands/states.ts'
import { type Document, documentOf } from '../../src/content/document.ts'
import type { Entity, State } from '../../src/content/state.ts'
import { readErasable } from '../../src/log/erase.ts'
import { verifyLog } from '../../src/log/verify.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { verifyProjections } from '../../src/projector/verify.ts'
import { documentIn, ENTITY } from '../content/any-history.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE, testDatabase, testSite } from '../support/database.ts'
import { anyDoings, type Doing, doable, testEraser, wantedOf } from '../support/erasing.ts'
import { type FolderSite, folderSite } from './folder/folder-site.ts'

const RUNS = Number(process.env['RM3_TEST_ROUND_TRIPS'] ?? 2)
const MINUTE_MS = 60_000

suite('histories of which something was erased', test => {
  test(
    'come into a site in use with what was erased erased',
    async () => {
      await fc.assert(fc.asyncProperty(anyDoings(30), checkIntoLive), runs())
    },
    4 * MINUTE_MS,
  )

  test('come in with all erasures that there were, in one transaction', async () => {
    const revise = (seed: number) => {
      const text = { seed, lines: 3, tags: [], proto: 'base' }
      return { type: 'revise', text, draft: false, minor: false, pick: 0 } as Doing
    }
    const erasing = (pick: number): Doing => ({ type: 'erase', whole: false, picks: [pick] })

    await checkIntoLive([revise(2), revise(3), erasing(1), revise(4), erasing(0), revise(5)])
  }, 60_000)

  test(
    'come as a part into an empty site, each event as it was',
    async () => {
      await fc.assert(fc.asyncProperty(anyDoings(30), checkPart), runs())
    },
    4 * MINUTE_MS,
  )
})

const runs = () => ({ numRuns: RUNS, endOnFailure: true })

async function checkIntoLive(doings: readonly Doing[]): Promise<void> {
  const open = await folderSite()
  const other = await testSite()
  try {
    await doAll(open, doings)
    const dir = await open.backup('site', { allowIncomplete: true })
    const { appends } = planOfFolder(dir, await demandWhole(dir), { path: null, present: false })
    const projections = await discoverProjections()
    const database = { url: other.url, site: TEST_SITE }
    const live = { site: other.site, database, projections }
    const put = () =>
      putIntoLive(live, { ...AS_ROOT, door: 'import' }, appends, {
        ...{ dryRun: false, skipConflicts: false, bringBlobs: async () => {} },
      })

    const { pages } = await put()
    const again = await put()

    const isThere = (await readState(open.site.db, ENTITY)) as Entity | null
    const isLoaded = isThere !== null && isThere.state !== 'deleted'
    assert.equal(
      pages.filter(({ entityId }) => entityId === ENTITY).map(({ did }) => did),
      isLoaded ? ['imported'] : [],
    )
    assert.is(again.position, null)
    if (isLoaded) assert.equal(await ownStoryOf(other.url), await ownStoryOf(open.url))
    await assertSound(other.url)
  } finally {
    await open.close()
    await other.close()
  }
}

async function checkPart(doings: readonly Doing[]): Promise<void> {
  const open = await folderSite()
  const { url, drop } = await testDatabase()
  try {
    await doAll(open, doings)
    const path = ((await readState(open.site.db, ENTITY)) as Entity).path
    const dir = await open.backup('site', { allowIncomplete: true })
    await demandWhole(dir)

    const events = partLog(eventsOfPart(dir, path))
    await restoreEvents(
      { url, site: TEST_SITE },
      { events, beside: besideFolder(dir), stores: open.stores },
      { projections: await discoverProjections(), allowUnsafe: true },
    )

    assert.equal(await storyOf(url), await storyOf(open.url))
    await assertSound(url)
  } finally {
    await open.close()
    await drop()
  }
}

/** Does things to a page of a site that has another one, and so that there is a page in the end. */
async function doAll(open: FolderSite, doings: readonly Doing[]): Promise<void> {
  const { eraser, remove } = await testEraser(open)
  const documents = new Map<number, Document>()
  const ids: string[] = []
  const document = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
  await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh.other', document }))
  const first = {
    type: 'create',
    text: { seed: 1, lines: 3, tags: [], proto: 'base' },
    draft: false,
  }
  for (const doing of [first as Doing, ...doings]) {
    const state = (await readState(open.site.db, ENTITY)) as Entity | null
    if (doing.type === 'erase') {
      const wanted = wantedOf(doing, ids.length)
      const request = { entityId: ENTITY, wanted, actor: 'root', door: 'cli', reason: 'a reason' }
      const done = await erase(eraser, { ...request, keepsShown: false })
      if (done === null) continue
      for (const gone of done.plan.data.revisions) documents.delete(gone)
      ids.push('')
      continue
    }
    const subject = { id: ENTITY, entity: state, documents }
    const made = doable(doing, { ...subject, eventIdOf: revision => ids[revision - 1] ?? '' })
    const author = { ...AS_ROOT, note: `note of ${doing.type}` }
    const { events } = await change(open.site, author, async it => {
      await it.entity(ENTITY)
      it.record(made)
    })
    for (const { type, revision, eventId } of events) {
      ids.push(eventId)
      const isContent = type === 'PageCreated' || type === 'PageRevised'
      if (isContent) documents.set(revision, documentIn(doing, documents))
    }
  }
  remove()
}

/** All that there is to know of the page at each of its revisions. */
async function storyOf(url: string): Promise<unknown[]> {
  const bulk = await openBulk({ url, site: TEST_SITE })
  try {
    const events = await readErasable(bulk.db, ENTITY)
    const revisions = events.map(({ revision }) => revision)
    const states = await readStates(bulk.db, ENTITY, revisions)
    return events.map(({ type, actor, at, note, eventId, erased }, index) => ({
      ...{ type, actor, at, note, eventId, erased: erased !== null && erased > 0 },
      ...toldBy(states[index] ?? null),
    }))
  } finally {
    await bulk.close()
  }
}

/** As `storyOf`, of what belongs to the page alone and without the numbers of revisions: without the others they are lower. */
async function ownStoryOf(url: string): Promise<unknown[]> {
  const story = (await storyOf(url)) as Record<string, unknown>[]
  const own = story.filter(({ type }) => /^(?:Page|Blob)/.test(String(type)))
  return own.map(({ tipErased, live, blobs, ...rest }) => {
    const { document = null, touched = null, modified = null } = (live ?? {}) as never
    const files = Object.entries(blobs as Entity['blobs']).map(([name, it]) => [name, it.sha256])
    return { ...rest, isErased: tipErased !== undefined, document, touched, modified, files }
  })
}

function toldBy(state: State | null): object {
  if (state?.kind !== 'entity') return {}
  const { path, tip, tipErased, live, blobs } = state
  return {
    ...{ path, state: state.state, tip: documentOf(tip), tipErased, blobs },
    live: live && { ...live, document: documentOf(live.document) },
  }
}

async function assertSound(url: string): Promise<void> {
  const bulk = await openBulk({ url, site: TEST_SITE })
  const { fault } = await verifyLog(bulk.db).finally(() => bulk.close())
  const projections = await discoverProjections()
  const { findings } = await verifyProjections(
    { url, site: TEST_SITE },
    { projections, threads: 0 },
  )
  assert.is(fault, null)
  assert.equal(findings, [])
}
