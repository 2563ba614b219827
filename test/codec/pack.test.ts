import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import type { Json } from '../../src/codec/json.ts'
import { pack, unpack } from '../../src/codec/pack.ts'
import { toSegments } from '../../src/codec/segments.ts'
import { isRm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { anyJson, assertSame, longText, thrownBy } from './any-json.ts'

const damaged = (bytes: Uint8Array) =>
  assert.ok(
    isRm3Error(
      thrownBy(() => unpack(bytes)),
      'LOG_DAMAGED',
    ),
  )
const large = { text: Array.from({ length: 500 }, (_, n) => `Line ${n}\n`) }

suite('pack', test => {
  test('comes back as it was, keys in their order', () => {
    const value = fc.oneof(
      anyJson(),
      longText().map(toSegments),
      fc.array(anyJson(), { minLength: 40 }),
    )
    fc.assert(
      fc.property(value as fc.Arbitrary<Json>, value => {
        const back = unpack(pack(value))
        assertSame(back, value)
        assert.is(JSON.stringify(back), JSON.stringify(value))
      }),
      { numRuns: 2000 },
    )
  })

  test('keeps integers and fractions of any size', () => {
    const numbers = [
      2 ** 31,
      2 ** 32,
      2 ** 53,
      -(2 ** 53),
      2 ** 63,
      1e21,
      1e308,
      5e-324,
      0.1,
      -128,
      255,
      65536,
    ]

    assert.equal(unpack(pack(numbers)), numbers)
  })

  test('deflates what is large and says so in the first byte', () => {
    assert.is(pack({ a: 1 })[0], 0)
    assert.is(pack(large)[0], 1)
    assert.ok(pack(large).length < 2500)
  })

  test('refuses what would come back as something else', () => {
    for (const bad of [
      JSON.parse('{"__proto__":1}'),
      ['\ud800'],
      [-0],
      [undefined],
      [Number.NaN],
      [new Date(0)],
      [1n],
    ]) {
      assert.ok(
        isRm3Error(
          thrownBy(() => pack(bad)),
          'JSON_INVALID',
        ),
      )
    }
  })
})

suite('unpack', test => {
  test('says that the log is damaged by bytes that are cut, longer or of another kind', () => {
    for (const whole of [pack({ a: [1, 'text'] }), pack(large)]) {
      for (let length = 0; length < whole.length; length += Math.ceil(whole.length / 50))
        damaged(whole.subarray(0, length))
      damaged(Buffer.concat([whole, Buffer.of(0)]))
      damaged(whole.subarray(1))
    }
    for (const bytes of [
      [],
      [0],
      [0, 0xc1],
      [1, 1, 2],
      [2, 0xc0],
      [0, 0xd6, 0xff, 0, 0, 0, 1],
      [0, 0xdd, 0xff, 0xff, 0xff, 0xff],
    ]) {
      damaged(Buffer.from(bytes))
    }
  })

  test('says so of a bomb and of endless nesting', () => {
    const bomb = Buffer.concat([Buffer.of(1), deflateRawSync(Buffer.alloc(80_000_000))])
    const deep = Buffer.concat([Buffer.of(0), Buffer.alloc(100_000, 0x91)])

    damaged(bomb)
    damaged(deep)
  })

  test('never gives anything but JSON for random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), bytes => {
        bytes[0] = 0
        try {
          const value = unpack(bytes)
          assertSame(JSON.parse(JSON.stringify(value)), value)
        } catch (thrown) {
          assert.ok(isRm3Error(thrown, 'LOG_DAMAGED'), String(thrown))
        }
      }),
      { numRuns: 5000 },
    )
  })
})
