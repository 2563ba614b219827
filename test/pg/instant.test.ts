import fc from 'fast-check'
import { parseInstant } from '../../src/pg/instant.ts'
import { assert, suite } from '../harness.ts'

suite('instants', test => {
  test('are read as Date reads them', () => {
    const span = {
      min: new Date('0001-01-01T00:00:00.000Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
    }
    fc.assert(
      fc.property(fc.date({ ...span, noInvalidDate: true }), date => {
        assert.is(parseInstant(date.toISOString()), date.getTime())
      }),
      { numRuns: 5_000 },
    )
  })

  test('are none in another form, or on a day that does not exist', () => {
    for (const text of [
      ...['', '2021-03-04', '2021-03-04T05:06:07Z', '2021-03-04T05:06:07.0890Z'],
      ...['2021-03-04T05:06:07.089+', '2021-03-04 05:06:07.089Z', '2021-0a-04T05:06:07.089Z'],
      ...['2021-02-30T05:06:07.089Z', '2021-03-04T24:00:00.000Z', '2021-13-04T05:06:07.089Z'],
      ...['2021-03-04T05:60:07.089Z', '2021-03-04T05:06:60.089Z', '2021-03-04T05:06:07.0x9Z'],
    ]) {
      assert.ok(Number.isNaN(parseInstant(text)), text)
    }
  })
})
