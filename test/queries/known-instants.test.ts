import fc from 'fast-check'
import { KnownInstants } from '../../src/queries/known-instants.ts'
import { assert, suite } from '../harness.ts'

suite('known instants', test => {
  test('tell between which positions others lie, never wrongly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { minLength: 1, maxLength: 40 }),
        fc.array(fc.nat(1_000), { maxLength: 100 }),
        (recorded, asked) => {
          const known = new KnownInstants()
          for (const ms of asked) {
            const position = recorded.filter(at => at <= ms).length
            const { lowest, highest } = known.around(ms) ?? { lowest: 0, highest: recorded.length }

            assert.is(lowest <= position && position <= highest, true)
            known.learn(ms, position)
            assert.equal(known.around(ms), { lowest: position, highest: position })
          }
        },
      ),
    )
  })

  test('are of one log, and forgotten with it', () => {
    const known = new KnownInstants()

    assert.is(known.areOf('one'), true)
    known.learn(5, 2)
    assert.is(known.areOf('one'), true)
    assert.is(known.areOf('two'), false)
    known.forget()
    assert.is(known.around(5), null)
    assert.is(known.areOf('two'), true)
  })

  test('are thinned out when they are many', () => {
    const known = new KnownInstants()
    for (let n = 0; n < 20_000; n++) {
      const ms = (n * 7_919) % 20_000
      known.learn(ms, ms * 2)
    }
    const widest = Array.from({ length: 20_000 }, (_, ms) => known.around(ms)).map(around =>
      around === null ? 0 : around.highest - around.lowest,
    )

    assert.is(Math.max(...widest) > 0, true)
    assert.is(Math.max(...widest) < 200, true)
  })
})
