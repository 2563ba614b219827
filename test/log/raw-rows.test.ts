import fc from 'fast-check'
import { instantText } from '../../src/log/raw-rows.ts'
import { assert, suite } from '../harness.ts'

const MOST_MS = 8_640_000_000_000_000

suite('instants of the log', test => {
  test('are texts as Date makes them, at the ends of days and years too', () => {
    for (const ms of [0, -1, 86_400_000, 86_399_999, 951_782_400_000, -62_198_755_200_001]) {
      assert.is(instantText(ms), new Date(ms).toISOString())
    }
    fc.assert(
      fc.property(fc.integer({ min: -MOST_MS, max: MOST_MS }), ms => {
        assert.is(instantText(ms), new Date(ms).toISOString())
      }),
    )
  })

  test('are cut at whole milliseconds', () => {
    assert.is(instantText(1_580_000_000_000.7), '2020-01-26T00:53:20.000Z')
    assert.is(instantText(-0.7), '1970-01-01T00:00:00.000Z')
  })

  test('that no Date can hold are refused', () => {
    for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, 2 * MOST_MS]) {
      assert.throws(() => instantText(ms), RangeError)
    }
  })
})
