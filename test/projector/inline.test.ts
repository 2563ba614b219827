import type { EntityProjection, RowChange, Step } from '../../src/projector/define.ts'
import { close, drop, put } from '../../src/projector/define.ts'
import { RowSet } from '../../src/projector/inline.ts'
import { assert, suite } from '../harness.ts'

/** The writers and rows that some changes of one row come to. */
function merged(changes: readonly RowChange[]): [string, unknown][] {
  const queue = [...changes]
  const projection: EntityProjection = {
    name: 'test',
    version: 1,
    mode: 'inline',
    tables: { t: { column: 'id' } },
    sql: '',
    step: () => [queue.shift() as RowChange],
  }
  const keys = new Map([['t', ['id', 'since']]])
  const rows = new RowSet({ projections: [projection], keys, versions: 'test 1' })
  for (const _ of changes) rows.add({} as Step)
  return rows.encode().map(({ writer, row }) => [writer, row])
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
})
