import { type Change, change, type Site } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage } from '../../src/commands/pages.ts'
import { isRm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'

const document = {
  proto: 'base',
  hidden: false,
  summary: { title: 'A page', abstract: '' },
  data: {},
  tags: {},
}

/** Where two entities were both live at one path at some position. */
const DOUBLES = `select a.path, a.from_position as "from", b.from_position as "alsoFrom"
  from page_history a join page_history b on a.path = b.path and a.entity_id < b.entity_id
  where a.path = $1::text and a.state = 'live' and b.state = 'live'
    and a.from_position < b.until_position and b.from_position < a.until_position`

suite('appends of one batch', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())

  for (const [name, free] of [
    ['deleted', (it: Change, path: string) => deletePage(it, path)],
    ['moved away', (it: Change, path: string) => movePage(it, path, `${path}2`)],
  ] as const) {
    test(`never put two pages at one path, when the first is ${name} behind a stale create`, async () => {
      const path = `wh.${name.replace(' ', '_')}`
      const held = hold()
      const stale = outcomeOf(change(held.site, AS_ROOT, it => createPage(it, { path, document })))
      await held.waiting(1) // it has seen that the path is free
      await change(open.site, AS_ROOT, it => createPage(it, { path, document }))
      const freed = outcomeOf(change(held.site, AS_ROOT, it => free(it, path)))
      await held.waiting(2)
      held.release()

      assert.equal(await Promise.all([stale, freed]), ['PATH_TAKEN', 'done'])
      assert.equal(await open.site.db.rows(DOUBLES, [path]), [])
    })
  }

  /** A site whose appends wait, and then go to the log in one turn, in the order in which they came. */
  function hold() {
    const calls: (() => void)[] = []
    const append: Site['appender']['append'] = request =>
      new Promise((resolve, reject) => {
        calls.push(() => void open.site.appender.append(request).then(resolve, reject))
      })
    return {
      site: { ...open.site, appender: { append } },
      waiting: async (count: number) => {
        while (calls.length < count) await new Promise(resolve => setTimeout(resolve, 1))
      },
      release: () => {
        for (const call of calls) call()
      },
    }
  }
})

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    thrown => (isRm3Error(thrown) ? thrown.code : String(thrown)),
  )
}
