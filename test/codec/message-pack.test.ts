import { Packr } from 'msgpackr'
import { fromMessagePack, toMessagePack } from '../../src/codec/message-pack.ts'
import { assert, suite } from '../harness.ts'
import { thrownBy } from './any-json.ts'

const MANY = 30_000_000

suite('MessagePack', test => {
  test('gives back what was packed, whatever its lengths', () => {
    for (const count of [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536]) {
      const value = {
        list: Array.from({ length: count }, (_, index) => index - 7),
        text: 'é'.repeat(count),
        bytes: Buffer.alloc(count, 1),
        map: Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}`, null])),
        numbers: [-1, -32, -33, -40_000, 2 ** 31, 2 ** 40, 2 ** 53 - 1, 0.5, true, false],
      }
      assert.equal(fromMessagePack(toMessagePack(value)), value)
    }
  })

  test('of what is no value, or not only one, is refused', () => {
    const whole = toMessagePack({ a: [1, 'text', Buffer.from('bytes')] })
    for (let length = 0; length < whole.length; length++) {
      assert.match(String(thrownBy(() => fromMessagePack(whole.subarray(0, length)))), 'early')
    }
    assert.match(String(thrownBy(() => fromMessagePack(Buffer.concat([whole, whole])))), 'follows')
  })

  test('that says it is long, is deep or of many parts is refused before it is read', () => {
    const before = process.memoryUsage().rss
    for (const first of [0xc6, 0xdb, 0xdd, 0xdf]) {
      refuse(Buffer.of(first, 255, 255, 255, 255))
      refuse(Buffer.concat([Buffer.of(first, 255, 255, 255, 255), Buffer.alloc(MANY)]))
    }
    refuse(Buffer.alloc(MANY, 0x91))
    refuse(Buffer.concat([listOf(MANY), Buffer.alloc(MANY, 0x80)]))
    refuse(Buffer.concat([listOf(MANY), Buffer.alloc(MANY, 0xc0)]))
    assert.ok(process.memoryUsage().rss - before < 200_000_000)
  })

  test('of types with a meaning of their own is refused', () => {
    const packr = new Packr({ moreTypes: true })
    for (const value of [/(a+)+$/, new Error('x'), new Set([1]), new Date(0), new Uint16Array(2)]) {
      refuse(packr.pack(value))
    }
    refuse(new Packr({ useRecords: true }).pack({ a: 1 }))
    refuse(Buffer.of(0xc1))
  })
})

function refuse(bytes: Uint8Array): void {
  assert.instance(
    thrownBy(() => fromMessagePack(bytes)),
    Error,
  )
}

/** The head of a list of so many values. */
function listOf(count: number): Buffer {
  const head = Buffer.alloc(5, 0xdd)
  head.writeUInt32BE(count, 1)
  return head
}
