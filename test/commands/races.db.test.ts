import { listGrants } from '../../projections/grants.ts'
import { findIdAtPath, findPageAndHead } from '../../projections/pages.ts'
import { change, type Site } from '../../src/commands/change.ts'
import { createPage, movePage, revisePage } from '../../src/commands/pages.ts'
import { denyRole, permitRole } from '../../src/commands/rights.ts'
import { readState } from '../../src/commands/states.ts'
import { documentOf } from '../../src/content/document.ts'
import type { Entity } from '../../src/content/state.ts'
import { isRm3Error, type Rm3Error } from '../../src/errors.ts'
import { type OpenSite, openSite } from '../../src/open-site.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'

const document = {
  proto: 'base',
  hidden: false,
  summary: { title: 'A page', abstract: '' },
  data: { words: [] as string[] },
  tags: {},
}

suite('two processes on one site', test => {
  let first: TestSite
  let second: OpenSite
  test.before(async () => {
    first = await testSite()
    const options = { url: first.url, site: TEST_SITE, allowUnsafe: true, connectionsMax: 4 }
    second = await openSite(options)
  })
  test.after(async () => {
    await second.close()
    await first.close()
  })

  test('edit one page in turns without being told that it is stale', async () => {
    await change(first.site, AS_ROOT, it => createPage(it, { path: 'wh.turns', document }))
    for (const [n, site] of [first.site, second.site, first.site, second.site].entries()) {
      await addWord(site, 'wh.turns', `word ${n}`)
    }

    assert.equal(await wordsAt(first.site, 'wh.turns'), ['word 0', 'word 1', 'word 2', 'word 3'])
  })

  test('never lose an update of one page, however they race', async () => {
    await change(first.site, AS_ROOT, it => createPage(it, { path: 'wh.race', document }))
    const words = Array.from({ length: 12 }, (_, n) => `word ${n}`)
    const sites = [first.site, second.site]
    await Promise.all(
      words.map((word, n) => untilDone(() => addWord(sites[n % 2] as Site, 'wh.race', word))),
    )

    assert.equal((await wordsAt(first.site, 'wh.race')).sort(), words.sort())
  })

  test('never lose an event of one stream that both append to', async () => {
    const roles = Array.from({ length: 12 }, (_, n) => `role${n}`)
    const sites = [first.site, second.site]
    await Promise.all(roles.map((role, n) => untilDone(() => addGrant(sites[n % 2] as Site, role))))
    const grants = await listGrants(first.site.db)

    assert.equal(grants.map(({ role }) => role).sort(), roles.sort())
  })

  test('do not take for done what the other has undone', async () => {
    const grant = { role: 'ghost', permission: 'view', pattern: 'wh.x' }
    await change(first.site, AS_ROOT, it => permitRole(it, grant))
    await change(second.site, AS_ROOT, it => denyRole(it, grant))
    const again = await change(first.site, AS_ROOT, it => permitRole(it, grant))

    assert.is(again.events.length, 1)
  })

  test('move a page while the other edits it, and both count', async () => {
    await change(first.site, AS_ROOT, it => createPage(it, { path: 'wh.moving', document }))
    await addWord(first.site, 'wh.moving', 'before')
    await change(second.site, AS_ROOT, it => movePage(it, 'wh.moving', 'wh.moved'))
    await addWord(first.site, 'wh.moved', 'after')

    assert.equal(await wordsAt(second.site, 'wh.moved'), ['before', 'after'])
  })

  test('make at most one page at a path, and nothing is left where a tree was moved away', async () => {
    const makes = Array.from({ length: 12 }, (_, n) =>
      change([first.site, second.site][n % 2] as Site, AS_ROOT, it =>
        createPage(it, { path: 'wh.contested', document }),
      ).then(
        () => 'made',
        thrown => (thrown as Rm3Error).code,
      ),
    )
    const outcomes = await Promise.all(makes)
    assert.is(outcomes.filter(outcome => outcome === 'made').length, 1)
    assert.is(outcomes.filter(outcome => outcome === 'PATH_TAKEN').length, 11)

    const children = Array.from({ length: 8 }, (_, n) =>
      change(second.site, AS_ROOT, it => createPage(it, { path: `wh.contested.c${n}`, document })),
    )
    await change(first.site, AS_ROOT, it => movePage(it, 'wh.contested', 'wh.settled'))
    await Promise.all(children)
    assert.is(await findIdAtPath(first.site.db, 'wh.contested'), null)
    assert.ok(await findIdAtPath(first.site.db, 'wh.settled'))
  })

  test('a change that keeps meeting another writer gives up and says so', async () => {
    let tries = 0
    const error = await rejection(
      change(first.site, AS_ROOT, async it => {
        tries++
        await addGrant(second.site, `spoiler${tries}`)
        await it.grants()
        await addGrant(second.site, `spoiler2_${tries}`)
        await permitRole(it, { role: 'victim', permission: 'view', pattern: '*' })
      }),
    )

    assert.is((error as Rm3Error).code, 'REVISION_CONFLICT')
    assert.is(tries, 8)
  })
})

function addGrant(site: Site, role: string) {
  return change(site, AS_ROOT, it => permitRole(it, { role, permission: 'view', pattern: '*' }))
}

async function addWord(site: Site, path: string, word: string): Promise<void> {
  const { page } = await findPageAndHead(site.db, path)
  const edit = (it: typeof document) => ({ ...it, data: { words: [...it.data.words, word] } })
  await change(site, AS_ROOT, it =>
    revisePage(it, path, { ifMatch: page?.sinceId ?? '', edit: edit as never }),
  )
}

/** As a client does: reads again and repeats when another writer was faster. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work()
      return
    } catch (thrown) {
      const isRace = isRm3Error(thrown, 'IF_MATCH_STALE') || isRm3Error(thrown, 'REVISION_CONFLICT')
      if (!isRace) throw thrown
    }
  }
}

async function wordsAt(site: Site, path: string): Promise<string[]> {
  const id = await findIdAtPath(site.db, path)
  const state = (await readState(site.db, id ?? '')) as Entity
  return documentOf(state.tip).data['words'] as string[]
}
