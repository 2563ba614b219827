import { parseInstant } from '../../src/queries/at.ts'
import { assert, suite } from '../harness.ts'

suite('instants', test => {
  test('are read as RFC 3339 has them and told in UTC with milliseconds', () => {
    assert.is(parseInstant('2020-01-02T03:04:05Z'), '2020-01-02T03:04:05.000Z')
    assert.is(parseInstant('2020-01-02t03:04:05.6z'), '2020-01-02T03:04:05.600Z')
    assert.is(parseInstant('2020-01-02 03:04:05.123456789+02:30'), '2020-01-02T00:34:05.123Z')
    assert.is(parseInstant('2020-01-02T03:04:05 01:00'), '2020-01-02T02:04:05.000Z')
    assert.is(parseInstant('2024-02-29T00:00:00Z'), '2024-02-29T00:00:00.000Z')
  })

  test('that are none are refused', () => {
    for (const text of [
      '',
      'now',
      '2020-01-02',
      '2020-01-02T03:04:05',
      '2020-02-30T00:00:00Z',
      '2021-02-29T00:00:00Z',
      '2020-13-01T00:00:00Z',
      '2020-01-01T25:00:00Z',
      '0000-01-01T00:00:00Z',
      '2020-01-01T00:00:00+99:00',
    ]) {
      assert.is(parseInstant(text), null, text)
    }
  })
})
