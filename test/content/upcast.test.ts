import fc from 'fast-check'
import { type Recorded, type Upcasters, upcast } from '../../src/content/upcast.ts'
import { assert, suite } from '../harness.ts'

const row: Recorded = {
  position: 7,
  eventId: '00000000-0000-4000-9000-000000000001',
  stream: '00000000-0000-4000-8000-000000000042',
  revision: 1,
  type: 'PageMoved',
  version: 1,
  actor: 'root',
  at: '2020-01-01T00:00:00.000Z',
  note: null,
  data: '{"steps":[]}',
}

suite('upcast', test => {
  test('an old payload goes through each version between its own and today’s, in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 }), (from, more) => {
        const lifts = Array.from({ length: from + more }, (_, n) => [n + 1, lift(n + 1)])
        const upcasters: Upcasters = { PageMoved: Object.fromEntries(lifts) }
        const { data } = upcast({ ...row, version: from }, upcasters, { PageMoved: from + more })

        const passed = Array.from({ length: more }, (_, n) => from + n)
        assert.equal(data as unknown, { steps: passed })
      }),
    )
  })

  test('an event of today is given back as it is', () => {
    const data = '{"from":"wh.a","to":"wh.b"}'
    const event = upcast({ ...row, data })

    assert.equal(event.data as unknown, { from: 'wh.a', to: 'wh.b' })
    assert.is(event.position, 7)
  })

  test('types and versions of a newer rm3 are refused', () => {
    for (const strange of [{ type: 'PageErased' }, { type: 'constructor' }, { version: 2 }]) {
      assert.throws(() => upcast({ ...row, ...strange }), /this rm3 does not know/)
    }
  })

  test('a payload that is not JSON is damage', () => {
    assert.throws(() => upcast({ ...row, data: '{' }), /is not JSON/)
  })

  test('a version without an upcaster is a bug and says so', () => {
    assert.throws(() => upcast(row, {}, { PageMoved: 2 }), /no upcaster/)
  })
})

function lift(version: number) {
  return (data: unknown) => ({ steps: [...(data as { steps: number[] }).steps, version] })
}
