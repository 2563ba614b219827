import { Pace } from '../../src/projector/pace.ts'
import { assert, suite } from '../harness.ts'

/** Applies a log in which some positions cannot be, as a follower would; where it stops, and how often it tried. */
function run(length: number, poison: number): { stoppedAt: number; attempts: number } {
  const pace = new Pace()
  let position = 0
  for (let attempts = 1; ; attempts++) {
    const last = Math.min(length, position + pace.limit)
    if (poison > position && poison <= last) {
      const next = pace.failed(last - position, last)
      if (next.type === 'stop') return { stoppedAt: last, attempts }
    } else {
      pace.succeeded(last - position, 1, last)
      position = last
      if (position === length) return { stoppedAt: 0, attempts }
    }
  }
}

suite('pace of a projection', test => {
  test('finds the one event that cannot be applied, in few attempts', () => {
    for (const poison of [1, 2, 777, 4_999, 5_000, 19_999]) {
      const { stoppedAt, attempts } = run(20_000, poison)

      assert.is(stoppedAt, poison)
      assert.ok(attempts < 50, `${attempts} attempts for ${poison}`)
    }
  })

  test('grows as long as batches are full and quick, up to a bound', () => {
    const pace = new Pace()
    const limits = Array.from({ length: 10 }, (_, n) => {
      pace.succeeded(pace.limit, 10, n * 10_000)
      return pace.limit
    })

    assert.is(limits[0], 400)
    assert.is(limits.at(-1), 10_000)
  })

  test('shrinks when batches take long, to one event at last', () => {
    const pace = new Pace()
    for (let n = 0; n < 20; n++) pace.succeeded(pace.limit, 10_000, n)

    assert.is(pace.limit, 1)
  })

  test('tries an event that stands alone again after longer and longer pauses, then no more', () => {
    const pace = new Pace()
    const next = Array.from({ length: 4 }, () => pace.failed(1, 7))

    assert.equal(
      next.map(it => ('afterMs' in it ? it.afterMs : it.type)),
      [100, 500, 2_500, 'stop'],
    )
    pace.succeeded(1, 1, 7)
    assert.is(pace.failed(1, 8).type, 'again')
  })
})
