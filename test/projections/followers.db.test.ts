import fc from 'fast-check'
import { isPerEntity, type Projection, put } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { checkProjection, type Rows } from '../../src/testing/check-projection.ts'
import { append } from '../contract/projection.ts'
import { assert, rejection, suite } from '../harness.ts'
import { anyLog } from '../support/any-log.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { countingProjection, titleProjection } from '../support/following.ts'
import { type PluginSite, pluginSite } from '../support/plugin-site.ts'

const OWN = ['activity', 'feed', 'links', 'search', 'wordings']
const PLUGIN = ['event-counts', 'title-lengths']
const DEADLINE_MS = 120_000

suite('projections that follow', test => {
  let database: TestDatabase
  let site: PluginSite
  let projections: readonly Projection[]
  test.before(async () => {
    database = await testDatabase()
    site = pluginSite()
    projections = (await discoverProjections(site.folder)).filter(({ mode }) => mode === 'async')
  })
  test.after(async () => {
    site.remove()
    await database.drop()
  })

  const named = (name: string) => projections.find(it => it.name === name) as Projection
  const check = (projection: Projection): Promise<Rows> =>
    checkProjection(projection, { url: database.url })

  test('are those that are checked here', () => {
    assert.equal(projections.map(({ name }) => name).sort(), [...OWN, ...PLUGIN].sort())
  })

  for (const name of [...OWN, ...PLUGIN]) {
    test(
      `${name} has the same rows however the log is fed`,
      async () => {
        const rows = await check(named(name))

        assert.ok(Object.values(rows).every(({ length }) => length > 0))
      },
      DEADLINE_MS,
    )
  }

  test(
    'have the same rows of any history',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyLog(60), fc.constantFrom(...OWN), async (log, name) => {
          const fill = (of: Parameters<typeof append>[0]) => append(of, log.events)
          await checkProjection(named(name), { url: database.url, fill })
        }),
        { numRuns: 4, endOnFailure: true },
      )
    },
    DEADLINE_MS,
  )

  test(
    'that do not keep the contract are found',
    async () => {
      let calls = 0
      const moody = titleProjection({
        step: step => {
          const rows = titleProjection().step(step)
          return rows.map(change =>
            change.op === 'put' ? put('titles', { ...change.row, title: `${calls++}` }) : change,
          )
        },
      })
      const foreign = titleProjection({
        step: ({ event, after }) =>
          after.kind === 'entity'
            ? [put('titles', { entity_id: OTHER, title: '', position: event.position })]
            : [],
      })
      const changing = titleProjection({
        step: ({ after }) => {
          Object.assign(after, { changed: true })
          return []
        },
      })
      const lastOnly = countingProjection({
        apply: async (events, db) => {
          await countingProjection().apply(events.slice(-1), db)
        },
      })

      assert.match(await complaint(moody), /the same for the same/)
      assert.match(await complaint(foreign), /is not the stream/)
      assert.match(await complaint(changing), /not extensible|read only/)
      assert.match(await complaint(lastOnly), /the same rows in batches of 7/)
    },
    DEADLINE_MS,
  )

  async function complaint(projection: Projection): Promise<string> {
    assert.is(isPerEntity(projection), projection.name === 'titles')
    return String(await rejection(check(projection)))
  }
})

const OTHER = '00000000-0000-4000-8000-0000000000ff'
