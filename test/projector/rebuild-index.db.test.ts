import { openBulk } from '../../src/pg/bulk.ts'
import { indexTables } from '../../src/projector/rebuild-index.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'

/** Together they take longer than a statement waits for a lock. */
const [ROWS, ROW_SECONDS] = [12, 0.5]

suite('making the indexes of a rebuild', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())

  test('lets no statement wait for an index that takes long', async () => {
    const database = { url: open.url, site: TEST_SITE }
    const { db, close } = await openBulk(database)
    await db.script(`
      create function slowly(int) returns int immutable language plpgsql as $$ begin
        perform pg_sleep(${ROW_SECONDS});
        return $1;
      end $$;
      create table large__new (number int not null);
      insert into large__new select generate_series(1, ${ROWS})`)

    await indexTables(database, {
      ...{ projections: [], tables: ['large'], keys: {}, constraints: [] },
      indexes: ['create index if not exists large__new_slow on large__new (slowly(number))'],
    })

    const indexes = await db.rows<{ name: string }>(
      `select indexname as name from pg_indexes where tablename = 'large__new'`,
    )
    assert.equal(indexes, [{ name: 'large__new_slow' }])
    await close()
  })
})
