import { type Bulk, openBulk } from '../../src/pg/bulk.ts'
import { endSums, listAltered, sumRows } from '../../src/projector/rebuild-sums.ts'
import { loadShapes, type Targets } from '../../src/projector/target.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'

const TABLE = `drop table if exists made__new; delete from rebuilds; set session_replication_role = origin;
  create table made__new (id int primary key, text text, words int[], body json);
  insert into rebuilds (phase, plan, epoch, loaded_to, position) select 'follow', '{}', epoch, 0, 0 from log_head`
const ROWS = `insert into made__new select n, 'text ' || n, array[n, null], json_build_object('n', n) from generate_series(1, 100) n`

suite('sums of what is written to tables that are built', test => {
  let open: TestSite
  let bulk: Bulk
  let made: Targets
  const database = () => ({ url: open.url, site: TEST_SITE })
  test.before(async () => {
    open = await testSite()
    bulk = await openBulk(database())
  })
  test.after(async () => {
    await bulk.close()
    await open.close()
  })
  const begin = async () => {
    await bulk.db.script(TABLE)
    const [shape] = await loadShapes(bulk.db, ['made__new'])
    if (shape === undefined) throw new Error('no shape')
    made = new Map([['made', { ...shape, table: 'made', owner: { column: 'id' } }]])
    await sumRows(bulk.db, made)
  }

  test('agree with a table that holds it, however it came there', async () => {
    await begin()
    await bulk.db.script(ROWS)
    await bulk.copyIn(
      'copy made__new from stdin',
      Buffer.from('101\t\\N\t{1}\t{"a": 1}\n102\tx\t\\N\t\\N\n'),
    )
    await bulk.db.script(`update made__new set text = 'other' where id % 3 = 0;
      delete from made__new where id % 7 = 0; delete from made__new where id < 0`)

    assert.equal(await listAltered(database(), made), [])
  })

  test('agree with a table that nothing was written to', async () => {
    await begin()
    assert.equal(await listAltered(database(), made), [])
  })

  test('do not count what a transaction wrote that was rolled back', async () => {
    await begin()
    await bulk.db.script(ROWS)
    const undone = bulk.db.transaction(async db => {
      await db.script('delete from made__new')
      throw new Error('undone')
    })
    await undone.catch(() => {})

    assert.equal(await listAltered(database(), made), [])
  })

  for (const [what, statement] of [
    ['a value that is another', `update made__new set text = 'x' where id = 5`],
    ['a value that is none', 'update made__new set body = null where id = 5'],
    ['a row that is gone', 'delete from made__new where id = 5'],
    ['a row too many', `insert into made__new values (0, 'x')`],
    ['a row that is gone and one too many', 'update made__new set id = 1000 where id = 5'],
  ] as const) {
    test(`find ${what}`, async () => {
      await begin()
      await bulk.db.script(ROWS)
      await bulk.db.script(`set session_replication_role = replica; ${statement}`)

      assert.equal(await listAltered(database(), made), ['made'])
    })
  }

  test('end with what came of them, and cost the table nothing more', async () => {
    await begin()
    await bulk.db.script(ROWS)

    await endSums(bulk.db, made, ['made'])
    await bulk.db.script('delete from made__new')

    const sums = await bulk.db.rows('select from rebuild_sums')
    const triggers = await bulk.db.rows(
      `select from pg_trigger where tgrelid = 'made__new'::regclass`,
    )
    const rebuilds = await bulk.db.rows('select altered from rebuilds')
    assert.equal([sums, triggers, rebuilds], [[], [], [{ altered: ['made'] }]])
  })
})
