import type pg from 'pg'
import { type Db, one, poolDb } from '../../src/pg/db.ts'
import { fieldsOf, linesOf } from '../../src/pg/lines.ts'
import { openPool, utcInstant } from '../../src/pg/pool.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestDatabase, testDatabase } from '../support/database.ts'

const ROWS = `select ${linesOf('n, at, text', 'n desc')} as lines
  from unnest($1::int[], $2::timestamptz[], $3::json[]) r(n, at, text)`

let database: TestDatabase
let pool: pg.Pool
let db: Db

suite('rows as lines', test => {
  test.before(async () => {
    database = await testDatabase()
    pool = openPool({ url: database.url, site: TEST_SITE, restricted: true, connectionsMax: 1 })
    db = poolDb(pool)
  })
  test.after(async () => {
    await pool.end()
    await database.drop()
  })

  test('come back in their order, with all that JSON may hold', async () => {
    const texts = ['"tab\\t \\u001e\\u001f"', '{\n\t"a": 1 }']
    const at = ['2026-01-02T03:04:05.600Z', '0099-12-31T00:00:00.000Z']

    const { lines } = await one<{ lines: string | null }>(db, ROWS, [[1, 2], at, texts])

    const read = fieldsOf(lines).map(([n, instant = '', text]) => [n, utcInstant(instant), text])
    assert.equal(read, [
      ['2', at[1], texts[1]],
      ['1', at[0], texts[0]],
    ])
  })

  test('leave out a last column that is null', async () => {
    const at = ['2026-01-02T03:04:05.600Z']

    const { lines } = await one<{ lines: string | null }>(db, ROWS, [[1], at, [null]])

    assert.equal(fieldsOf(lines), [['1', '2026-01-02 03:04:05.6+00']])
  })

  test('are none where there is no row', async () => {
    const { lines } = await one<{ lines: string | null }>(db, ROWS, [[], [], []])

    assert.equal(fieldsOf(lines), [])
  })
})
