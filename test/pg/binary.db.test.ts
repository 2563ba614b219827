import fc from 'fast-check'
import { BinaryWriter } from '../../src/pg/binary.ts'
import { type Db, one, poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'
import {
  openArray,
  type RowType,
  type RowValues,
  rowType,
  writeRow,
} from '../../src/pg/row-types.ts'
import { anyJson } from '../codec/any-json.ts'
import { assert, rejection, suite } from '../harness.ts'
import { TEST_SITE, type TestDatabase, testDatabase } from '../support/database.ts'

const TYPES = {
  bool: 16,
  bytes: 17,
  big: 20,
  small: 21,
  number: 23,
  text: 25,
  json: 114,
  instant: 1184,
  id: 2950,
}
const WIDE = `create type wide as (bool boolean, bytes bytea, big bigint, small smallint, number int, text text, json json,
  instant timestamptz, id uuid)`

let database: TestDatabase
let db: Db
let end: () => Promise<void>
let type: RowType

suite('values in binary', test => {
  test.before(async () => {
    database = await testDatabase()
    const pool = openPool({ url: database.url, site: TEST_SITE, restricted: false })
    db = poolDb(pool)
    end = () => pool.end()
    await db.script(WIDE)
    const { oid } = await one<{ oid: number }>(db, `select 'wide'::regtype::oid::int as oid`)
    type = rowType(oid, Object.entries(TYPES))
  })
  test.after(async () => {
    await end()
    await database.drop()
  })

  test('reach PostgreSQL as they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow(), { minLength: 1, maxLength: 40 }), async rows => {
        assert.equal(await sent(rows), rows.map(received))
      }),
      { numRuns: 60 },
    )
  })

  test('that are texts of any length and script outgrow any buffer', async () => {
    const texts = [
      '',
      'ä',
      'x'.repeat(39),
      'x'.repeat(40),
      `${'x'.repeat(39)}𝄞`,
      'ß'.repeat(300_000),
    ]

    const found = await sent(texts.map(text => ({ text })))

    assert.equal(
      found.map(({ text }) => text),
      texts,
    )
  })

  test('that are no instants or ids are refused', async () => {
    for (const row of [
      { instant: 'yesterday' },
      { id: '00000000-0000-0000-0000-00000000000g' },
      { id: '12' },
    ]) {
      const error = await rejection(sent([row]))
      assert.is((error as { code?: string }).code, 'REQUEST_INVALID', JSON.stringify(row))
    }
  })

  test('count positions on from the appends before', async () => {
    const { oid } = await one<{ oid: number }>(db, `select 'wide'::regtype::oid::int as oid`)
    const placed = rowType(oid, [
      ['position', 20],
      ['from_position', 20],
      ['number', 20],
    ])
    const written = (row: RowValues, offset: number) => {
      const writer = new BinaryWriter()
      writeRow(writer, placed, row, offset)
      return writer.slice(0, writer.end).toString('hex')
    }

    assert.is(
      written({ position: -1, from_position: 9, number: -5 }, 10),
      written({ position: -11, from_position: 9, number: -5 }, 0),
    )
  })
})

function anyRow(): fc.Arbitrary<RowValues> {
  const text = fc.string({ unit: 'binary', maxLength: 60 }).map(some => some.replaceAll('\0', ''))
  const instant = fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map(date => date.toISOString())
  return fc.record(
    {
      bool: fc.boolean(),
      bytes: fc.uint8Array().map(bytes => `\\x${Buffer.from(bytes).toString('hex')}`),
      big: fc.maxSafeInteger(),
      small: fc.integer({ min: -32_768, max: 32_767 }),
      number: fc.integer(),
      text: fc.option(text),
      json: anyJson().map(value => ({ value })),
      instant,
      id: fc.uuid(),
    },
    { requiredKeys: [] },
  )
}

async function sent(rows: readonly RowValues[]): Promise<Record<string, unknown>[]> {
  const writer = new BinaryWriter()
  const opened = openArray(writer, type.oid, rows.length)
  for (const row of rows) writeRow(writer, type, row)
  writer.close(opened)
  return db.rows(
    `select bool, '\\x' || encode(bytes, 'hex') as bytes, big, small, number, text, json::text as json, instant, id
    from unnest($1::wide[])`,
    [writer.slice(opened, writer.end)],
  )
}

function received(row: RowValues): Record<string, unknown> {
  const columns = Object.keys(TYPES).map(name => [name, row[name] ?? null])
  const { json } = row
  return { ...Object.fromEntries(columns), json: json === undefined ? null : JSON.stringify(json) }
}
