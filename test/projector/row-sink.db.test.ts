import { openBulk } from '../../src/pg/bulk.ts'
import { type EntityProjection, put, type Row } from '../../src/projector/define.ts'
import { RowSink } from '../../src/projector/row-sink.ts'
import { StreamRows } from '../../src/projector/stream-rows.ts'
import { keysInStream, loadTargets } from '../../src/projector/target.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'

const ID = '0195f0c0-0000-7000-8000-00000000000a'
const TABLE = `create table kinds (id uuid not null, n int not null, primary key (id, n),
  small smallint, big bigint, yes boolean, words text, what json, at timestamptz, bytes bytea, list int[], names text[])`
const PLAIN: Row = {
  ...{ id: ID, small: -3, big: Number.MAX_SAFE_INTEGER, yes: false },
  ...{ words: 'tab\t, "Ä", \\N and 😀\n', what: { a: ['\\', null, 1.5] } },
  ...{ at: '1969-12-31T23:59:59.001Z', bytes: '\\x00ff10', list: [2, -(2 ** 31), 0] },
}
const KEPT = `select n, small, big, yes, words, what, at, encode(bytes, 'hex') as bytes, list, names from kinds order by n`

suite('rows that go into tables', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())

  /** What a table of some columns holds of rows; there is one without the column of texts, which goes in binary. */
  const written = async (rows: readonly Row[], leftOut: string) => {
    const bulk = await openBulk({ url: open.url, site: TEST_SITE })
    try {
      await bulk.db.script(`drop table if exists kinds; ${TABLE}`)
      const changes = rows.map((row, n) => put('kinds', { ...row, n }))
      const projection: EntityProjection = {
        ...{ name: 'kinds', version: 1, sql: '', step: () => changes },
        ...{ mode: 'async', tables: { kinds: { column: 'id' } } },
      }
      const targets = await loadTargets(bulk.db, [projection], '')
      const target = targets.get('kinds')
      if (target === undefined) throw new Error('the table is not there')
      const columns = target.columns.filter(({ name }) => name !== leftOut)
      const fewer = new Map([['kinds', { ...target, columns }]])
      const sink = new RowSink(bulk, fewer)
      const gathered = new StreamRows(keysInStream(fewer))
      gathered.add([projection], null as never)
      await sink.add(gathered)
      await sink.flush()
      return await bulk.db.rows<Row>(KEPT)
    } finally {
      await bulk.close()
    }
  }

  test('are the same in binary and as text', async () => {
    const rows = [PLAIN, { id: ID }, { ...PLAIN, list: [], words: '' }]

    assert.equal(await written(rows, 'names'), await written(rows, ''))
  })

  test('go as text from the first value on that is not as its type has it', async () => {
    const odd: Row = { id: ID, small: '7', yes: 'true', words: 12, at: '2021-03-04 05:06:07.5+01' }

    const kept = await written([PLAIN, odd, PLAIN], 'names')

    assert.equal(
      kept.map(({ n, small, yes, words, at }) => [n, small, yes, words, at]),
      [
        [0, -3, false, PLAIN['words'], PLAIN['at']],
        [1, 7, true, '12', '2021-03-04T04:06:07.500Z'],
        [2, -3, false, PLAIN['words'], PLAIN['at']],
      ],
    )
  })

  test('are refused by the database where it takes a value neither way', async () => {
    for (const row of [{ at: '2021-02-30T00:00:00.000Z' }, { big: 1.5 }, { bytes: '\\x0' }]) {
      const refused = await written([{ id: ID, ...row }], 'names').then(
        () => false,
        () => true,
      )
      assert.ok(refused, JSON.stringify(row))
    }
  })
})
