import type { Rm3Error } from '../../src/errors.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { findRemains, forgetProjection } from '../../src/projector/forget.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { listStandings } from '../../src/projector/standing.ts'
import { assert, rejection, suite } from '../harness.ts'
import { TEST_SITE } from '../support/database.ts'
import { type FollowedSite, followedSite, titleProjection, until } from '../support/following.ts'

suite('forgetting a projection', test => {
  let open: FollowedSite
  const gone = titleProjection()
  test.before(async () => {
    open = await followedSite([gone])
  })
  test.after(() => open.close())

  test('is refused while it is there, or is followed, or was never there', async () => {
    const known = await discoverProjections()
    const following = open.follow([gone], 'another')
    await until('it is followed', async () => (await open.standing('titles')).owner === 'another')

    const there = await rejection(forgetProjection(open.owner, 'titles', [...known, gone]))
    const followed = await rejection(forgetProjection(open.owner, 'titles', known))
    const never = await rejection(forgetProjection(open.owner, 'nothing', known))
    await following.stop()

    assert.match((there as Rm3Error).message, /it is there/)
    assert.match((followed as Rm3Error).message, /another follows it/)
    assert.is((never as Rm3Error).code, 'PROJECTION_NOT_FOUND')
  })

  test('drops its tables, also those that were kept, and its row', async () => {
    const known = await discoverProjections()
    const all = [...known, gone]
    const database = { url: open.url, site: TEST_SITE }
    await rebuildProjections(database, { projections: [gone], all, threads: 0 })

    const would = await findRemains(open.owner, 'titles', known)
    const stillThere = (await listStandings(open.owner)).some(({ name }) => name === 'titles')
    const did = await forgetProjection(open.owner, 'titles', known)
    const left = await open.owner.rows(
      `select from pg_class where relname in ('titles', 'titles__old')`,
    )

    assert.equal(would, { tables: ['titles', 'titles__old'], isKnown: true })
    assert.ok(stillThere)
    assert.equal(did, would)
    assert.equal(left, [])
    assert.not.ok((await listStandings(open.owner)).some(({ name }) => name === 'titles'))
  })
})
