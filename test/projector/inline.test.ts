import type { EntityProjection, RowChange, Step } from '../../src/projector/define.ts'
import { close, drop, put } from '../../src/projector/define.ts'
import { RowSet } from '../../src/projector/inline.ts'
import { assert, suite } from '../harness.ts'

/** The writers and rows that some changes of one row come to, `offset` events into a batch. */
function merged(changes: readonly RowChange[], offset = 0): [string, unknown][] {
  const queue = [...changes]
  const projection: EntityProjection = {
    name: 'test',
    version: 1,
    mode: 'inline',
    tables: { t: { column: 'id' } },
    sql: '',
    step: () => [queue.shift() as RowChange],
  }
  const rows = new RowSet({ projections: [projection], keys: new Map([['t', ['id', 'since']]]) })
  for (const _ of changes) rows.add({} as Step)
  return rows.encode(offset).map(({ writer, json }) => [writer, JSON.parse(json)])
}

const key = { id: 'a', since: 1 }
const whole = put('t', { ...key, title: 'x', from_position: -1, until_position: 9 })

suite('rows of one append', test => {
  test('a put and a close of one row are one put', () => {
    const changes = [whole, close('t', key, -2)]
    const row = { ...key, title: 'x', from_position: -1, until_position: -2 }

    assert.equal(merged(changes), [['put_t', row]])
  })

  test('of two closes of one row the last counts', () => {
    const changes = [close('t', key, -1), close('t', key, -2)]

    assert.equal(merged(changes), [['close_t', { ...key, until_position: -2 }]])
  })

  test('the last of put and drop counts, and nothing is closed in a row that is gone', () => {
    const gone = drop('t', key)

    assert.equal(merged([whole, gone]), [['drop_t', key]])
    assert.equal(merged([gone, whole]), [['put_t', whole.row]])
    assert.equal(merged([whole, close('t', key, -2), gone]), [['drop_t', key]])
    assert.equal(merged([gone, close('t', key, -2)]), [['drop_t', key]])
  })

  test('rows with other keys stand apart', () => {
    const changes = [whole, close('t', { id: 'a', since: 2 }, -2), drop('t', { id: '1', since: 1 })]

    assert.equal(
      merged(changes).map(([writer]) => writer),
      ['put_t', 'close_t', 'drop_t'],
    )
  })

  test('only positions are counted on from the appends before in the batch', () => {
    const row = {
      ...key,
      number: -5,
      position: -1,
      from_position: -2,
      until_position: 9,
      value: { position: -1 },
    }
    const shifted = { ...row, position: -11, from_position: -12 }

    assert.equal(merged([put('t', row)], 10), [['put_t', shifted]])
  })
})
