import fc from 'fast-check'
import { hasBlob, putBlob } from '../../src/blobs/store.ts'
import { change } from '../../src/commands/change.ts'
import { type ErasureRequest, erase } from '../../src/commands/erase.ts'
import { applyErasures, listErasures } from '../../src/commands/erasures.ts'
import { readState } from '../../src/commands/states.ts'
import { type Document, documentOf } from '../../src/content/document.ts'
import type { SiteEvent } from '../../src/content/events.ts'
import { stateOfKeyframe } from '../../src/content/kept-state.ts'
import type { Wanted } from '../../src/content/plan-erasure.ts'
import type { Entity } from '../../src/content/state.ts'
import { verifyLog } from '../../src/log/verify.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { verifyProjections } from '../../src/projector/verify.ts'
import { documentIn, ENTITY } from '../content/any-history.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE } from '../support/database.ts'
import { anyDoings, type Doing, doable, testEraser, wantedOf, wordsIn } from '../support/erasing.ts'
import { type FollowedSite, followedSite, until } from '../support/following.ts'

const RUNS = { numRuns: 4, endOnFailure: true }
const RUNS_DEADLINE_MS = 240_000

suite('erasing from the log', test => {
  test(
    'leaves what was not erased readable, nothing of what was anywhere, and chain and projections whole',
    async () => {
      await fc.assert(fc.asyncProperty(anyDoings(60), checkDoings), RUNS)
    },
    RUNS_DEADLINE_MS,
  )

  test('takes the bytes of files that nobody else has', async () => {
    const it = await erasingSite()
    try {
      const [own, shared] = [await it.put('own'), await it.put('shared')]
      await it.write(ENTITY, { type: 'create', text: text(1), draft: false })
      await it.attach(ENTITY, 'own.txt', own)
      await it.attach(ENTITY, 'shared.txt', shared)
      await it.write(OTHER, { type: 'create', text: text(2), draft: false }, 'wh.other')
      await it.attach(OTHER, 'mine.txt', shared)

      await it.erase('whole')

      const { stores } = it.eraser
      assert.equal(
        [await hasBlob(stores.public, own), await hasBlob(stores.public, shared)],
        [false, true],
      )
    } finally {
      await it.close()
    }
  })

  test('refuses to take away what readers see, unless all goes', async () => {
    const it = await erasingSite()
    try {
      await it.write(ENTITY, { type: 'create', text: text(1), draft: false })
      const refused = async (wanted: Wanted) =>
        it.erase(wanted, { keepsShown: true }).then(
          () => null,
          thrown => (thrown as { code?: unknown }).code,
        )

      assert.is(await refused(new Set([1])), 'ERASURE_REFUSED')
      assert.is(await refused(new Set([9])), 'REVISION_NOT_FOUND')
      assert.is(await refused('whole'), null)
    } finally {
      await it.close()
    }
  })

  test('is done again on an older log, once', async () => {
    const it = await erasingSite()
    const older = await erasingSite()
    try {
      for (const site of [it, older]) {
        await site.write(ENTITY, { type: 'create', text: text(1), draft: false })
      }
      await it.write(ENTITY, { type: 'revise', text: text(2), draft: false, minor: false, pick: 0 })
      await it.erase(new Set([1]), { reason: 'a reason' })
      const erasures = await listErasures(it.open.owner)

      const [applied] = await applyErasures(older.eraser, erasures)

      assert.equal([applied?.position, applied?.reason, applied?.whole], [2, 'a reason', false])
      assert.equal(await applyErasures(older.eraser, erasures), [])
      assert.equal(await applyErasures(it.eraser, erasures), [])
      assert.equal([...wordsIn(await dump(older.open))], [])
      const state = (await readState(older.open.owner, ENTITY)) as Entity
      assert.equal([state.state, state.tipErased], ['deleted', 2])
      const [again] = await listErasures(older.open.owner)
      assert.equal(
        [again?.actor, again?.at, again?.events],
        [erasures[0]?.actor, erasures[0]?.at, erasures[0]?.events],
      )
    } finally {
      await it.close()
      await older.close()
    }
  })

  test('is found out where somebody empties a row, or fills one', async () => {
    const it = await erasingSite()
    try {
      await it.write(ENTITY, { type: 'create', text: text(1), draft: false })
      await it.write(ENTITY, { type: 'revise', text: text(2), draft: false, minor: false, pick: 0 })
      await it.erase(new Set([1]))
      const fault = async () => (await verifyLog(it.open.owner)).fault?.text ?? null
      assert.is(await fault(), null)
      const change = async (script: string) => {
        await it.open.owner.script(
          `begin; set local session_replication_role = replica; ${script}; commit`,
        )
        return fault()
      }

      const refused = await it.open.owner
        .script(
          `update log set note = null, meta = null, data = null, salt = null where position = 3`,
        )
        .then(
          () => null,
          thrown => (thrown as { code?: unknown }).code,
        )

      assert.is(refused, '42501')
      assert.match(
        (await change(`update stand_ins set data = '{}' where revision = 1`)) ?? '',
        /stands in/,
      )
      assert.match((await change(`delete from stand_ins where revision = 1`)) ?? '', /no erasure/)
    } finally {
      await it.close()
    }
  })
})

/** Of the things that are done: what is left of the tables that were replaced then has to be erased too. */
const REBUILT_AFTER = 40
const OTHER = '00000000-0000-4000-8000-000000000043'

function text(seed: number) {
  return { seed, lines: 4, tags: [], proto: 'base' }
}

async function checkDoings(doings: readonly Doing[]): Promise<void> {
  const it = await erasingSite()
  const projections = await discoverProjections()
  it.open.follow(projections)
  const database = { url: it.open.url, site: TEST_SITE }
  const rebuild = { projections, all: projections, threads: 0 }
  try {
    for (const [index, doing] of doings.entries()) {
      if (index === REBUILT_AFTER) await rebuildProjections(database, rebuild)
      if (doing.type !== 'erase') await it.write(ENTITY, doing)
      else if (it.revision > 0) await it.erase(wantedOf(doing, it.revision))
    }
    await it.erase(new Set([1]))
    await it.followed()

    await it.checkSurvivors()
    const allowed = wordsIn(JSON.stringify([...it.documents.values()]))
    const left = [...wordsIn(await dump(it.open))].filter(word => !allowed.has(word))
    assert.equal(left, [])
    assert.is((await verifyLog(it.open.owner)).fault, null)
    const { findings } = await verifyProjections(database, { projections, threads: 0 })
    assert.equal(findings, [])
    const { drift } = await rebuildProjections(database, rebuild)
    assert.equal(drift, [])
  } finally {
    await it.close()
  }
}

/** A site with a page to which things are done, as they were decided. */
async function erasingSite() {
  const open = await followedSite([])
  const { eraser, remove } = await testEraser(open)
  const documents = new Map<number, Document>()
  const events: SiteEvent[] = []
  const entityOf = async (id: string) => (await readState(open.owner, id)) as Entity | null
  return {
    ...{ open, eraser, documents },
    get revision() {
      return events.length
    },
    put: async (content: string) => (await putBlob(eraser.stores.public, bytesOf(content))).sha256,
    attach: async (id: string, name: string, sha256: string) => {
      const data = {
        name,
        sha256,
        sizeBytes: 5,
        mediaType: 'text/plain',
        category: 'public' as const,
      }
      await change(open.site, AS_ROOT, async it => {
        await it.entity(id)
        it.record([{ type: 'BlobAttached', stream: id, data }])
      })
    },
    write: async (id: string, action: Exclude<Doing, { type: 'erase' }>, path = 'wh.a') => {
      const eventIdOf = (revision: number) => events[revision - 1]?.eventId ?? ''
      const entity = await entityOf(id)
      const made = doable(action, { id, entity, documents, eventIdOf }).map(event =>
        event.type === 'PageCreated' ? { ...event, data: { ...event.data, path } } : event,
      )
      const author = {
        ...AS_ROOT,
        note: noteOf(action),
        eventId: (index: number) => eventIdAt(id, (entity?.revision ?? 0) + 1 + index),
      }
      const { events: written } = await change(open.site, author, async it => {
        await it.entity(id)
        it.record(made)
      })
      if (id !== ENTITY) return
      for (const event of written) {
        events.push(event)
        const isContent = event.type === 'PageCreated' || event.type === 'PageRevised'
        if (isContent) documents.set(event.revision, documentIn(action, documents))
      }
    },
    erase: async (wanted: Wanted, more: Partial<ErasureRequest> = {}) => {
      const request = { entityId: ENTITY, wanted, actor: 'root', door: 'cli', reason: null }
      const done = await erase(eraser, { ...request, keepsShown: false, ...more })
      if (done === null) return
      for (const gone of done.plan.data.revisions) documents.delete(gone)
      events.push({ eventId: '' } as SiteEvent)
    },
    checkSurvivors: async () => {
      for (const [revision, document] of documents) {
        const state = (await readState(open.owner, ENTITY, revision)) as Entity
        assert.equal([state.tipRevision, state.tipErased], [revision, undefined])
        assert.equal(documentOf(state.tip), document)
      }
    },
    followed: () =>
      until('all follow', async () => {
        const [head] = await open.owner.rows<{ position: number }>('select position from log_head')
        const behind = await open.owner.rows(
          `select from checkpoints where kind = 'projection' and mode = 'async' and position < $1::bigint`,
          [head?.position],
        )
        return behind.length === 0
      }),
    close: async () => {
      await open.close()
      remove()
    },
  }
}

/** The same on any site. */
function eventIdAt(id: string, revision: number): string {
  return `${id.slice(0, 24)}${id.slice(-2)}${String(revision).padStart(10, '0')}`
}

/** The editor's comment has the words of the document too. */
function noteOf(action: Doing): string | null {
  return 'text' in action ? `about only${action.text.seed}` : null
}

async function* bytesOf(content: string) {
  yield Buffer.from(content)
}

/** All there is in all tables of the site as text, keyframes unpacked. */
async function dump({ url }: FollowedSite): Promise<string> {
  const bulk = await openBulk({ url, site: TEST_SITE })
  try {
    const tables = await bulk.db.rows<{ name: string }>(
      `select c.relname as name from pg_class c where c.relnamespace = 'rm3'::regnamespace and c.relkind = 'r'`,
    )
    let all = ''
    for (const { name } of tables) {
      const rows = await bulk.db.rows<{ body?: unknown }>(`select * from ${name}`)
      if (name === 'keyframes') {
        all += JSON.stringify(rows.map(({ body }) => stateOfKeyframe(body as Buffer)))
      }
      all += JSON.stringify(rows, (_, value) => shown(value))
    }
    return all
  } finally {
    await bulk.close()
  }
}

function shown(value: unknown): unknown {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown }
  return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data).toString('latin1') : value
}
