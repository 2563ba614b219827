import { hash } from 'node:crypto'
import fc from 'fast-check'
import {
  canonicalJson,
  checkJson,
  hashDocument,
  JSON_LIMITS,
  type Json,
  parseJson,
} from '../../src/codec/json.ts'
import type { Rm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { anyJson, assertSame, thrownBy } from './any-json.ts'

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const refusal = (act: () => unknown) => {
  const error = thrownBy(act) as Rm3Error
  assert.is(error.code, 'JSON_INVALID')
  return error
}

suite('checkJson', test => {
  test('takes any JSON and gives back the same value', () => {
    fc.assert(fc.property(anyJson(), value => checkJson(value, 'x') === value))
  })

  for (const [name, bad] of Object.entries({
    undefined: undefined,
    'a function': () => 1,
    'a symbol': Symbol('a'),
    'a bigint': 1n,
    'a date': new Date(0),
    'a map': new Map(),
    'a buffer': Buffer.from('a'),
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    'minus zero': -0,
    'a NUL': 'a\0b',
    'half a surrogate pair': 'a\ud83d',
    'a hole': Array(1),
    'a __proto__ key': JSON.parse('{"__proto__":{"admin":true}}'),
    'a key with a NUL': { 'a\0': 1 },
    'a key with a lone surrogate': { '\udc00': 1 },
  })) {
    test(`refuses ${name}, and names the place`, () => {
      const error = refusal(() => checkJson({ list: [0, { 'a/b~': bad }] }, 'the body'))

      const { pointer } = error.details
      assert.ok(String(pointer).startsWith('/list/1/a~1b~0'), error.message)
      assert.match(error.message, /^the body: .* at \/list\/1\//)
    })
  }

  test('refuses a text of too many values before it is read, and none that is long otherwise', () => {
    const limits = { ...JSON_LIMITS, itemsMax: 10 }
    const long = JSON.stringify({ text: ',[{'.repeat(100), list: [1, 2, 3] })

    assert.equal(parseJson(long, 'x', limits), JSON.parse(long))
    for (const text of [
      `[${'[],'.repeat(9)}[]]`,
      `{${'"":0,'.repeat(50)}"":0}`,
      `["${','.repeat(20)}`,
    ]) {
      assert.is(refusal(() => parseJson(text, 'x', limits)).code, 'JSON_INVALID')
    }
    assert.match(
      refusal(() => parseJson('[],'.repeat(1_000), 'x', limits)).message,
      'more than 10 values',
    )
  })

  test('refuses cycles, depth and number of values past the limits', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)

    refusal(() => checkJson(cycle, 'x'))
    refusal(() => checkJson(JSON.parse(nested(66)), 'x'))
    refusal(() => checkJson([1, 2, 3], 'x', { ...JSON_LIMITS, itemsMax: 3 }))
    checkJson(JSON.parse(nested(65)), 'x', { ...JSON_LIMITS, depthMax: 65 })
    checkJson(JSON.parse(nested(64)), 'x')
  })

  test('takes the keys constructor, prototype and toString as the data they are', () => {
    const value = { constructor: { prototype: 1 }, toString: 2, hasOwnProperty: 3 }

    assert.is(checkJson(value, 'x'), value)
  })
})

suite('parseJson', test => {
  test('reads what JSON.stringify wrote, from text and from bytes', () => {
    fc.assert(
      fc.property(anyJson(), value => {
        const text = JSON.stringify(value, null, 1)
        assertSame(parseJson(text, 'x'), value)
        assertSame(parseJson(Buffer.from(text), 'x'), value)
      }),
    )
  })

  for (const [name, text, pointer, line, column] of [
    ['a key given twice', '{"a":1,\n "b":{"c":1,"\\u0063":2}}', '/b/c', 2, 13],
    ['an integer that would change', '[1,\n9007199254740993]', '/1', 2, 1],
    ['an infinite number', '{"a":1e999}', '/a', 1, 6],
    ['a number that would become zero', '[0.0001e-999]', '/0', 1, 2],
    ['minus zero', '[-0]', '/0', 1, 2],
    ['minus zero as a fraction', '[-0.0e3]', '/0', 1, 2],
    ['a byte order mark', '\ufeff{}', '', 1, 1],
    ['a NUL in a string', '["\\u0000"]', '/0', 1, 2],
    ['a lone surrogate', '["\\ud800"]', '/0', 1, 2],
    ['a __proto__ key', '{"a":{"__proto__":1}}', '/a/__proto__', 1, 7],
    ['a trailing comma', '[1,\n2,]', '/2', 2, 3],
    ['a trailing comma in an object', '{"a":1,}', '', 1, 8],
    ['single quotes', "{'a':1}", '', 1, 2],
    ['a comment', '{} // no', '', 1, 4],
    ['an open string', '["abc', '/0', 1, 2],
    ['an open array', '[1', '', 1, 3],
    ['nothing', ' ', '', 1, 2],
    ['a bare newline in a string', '["a\nb"]', '/0', 1, 2],
    ['NaN', '[NaN]', '/0', 1, 2],
    ['a leading zero', '[012]', '', 1, 3],
    ['a missing colon', '{"a" 1}', '/a', 1, 6],
    ['too deep nesting', nested(65), `${'/0'.repeat(64)}`, 1, 65],
  ] as const) {
    test(`refuses ${name}, and names pointer, line and column`, () => {
      const { details } = refusal(() => parseJson(text, 'the file'))

      assert.equal(details, { where: 'the file', pointer, line, column })
    })
  }

  test('refuses malformed UTF-8 and says where it is', () => {
    const bytes = Buffer.concat([
      Buffer.from('["ä\ufffd",\n"b'),
      Buffer.from([0xff]),
      Buffer.from('"]'),
    ])

    const { details } = refusal(() => parseJson(bytes, 'the file'))

    assert.equal(details, { where: 'the file', line: 2, column: 3 })
  })

  test('refuses bytes with a byte order mark, overlong forms and coded surrogates', () => {
    refusal(() => parseJson(Buffer.from('\ufeff{}'), 'x'))
    refusal(() => parseJson(Buffer.from([0x22, 0xc0, 0x80, 0x22]), 'x'))
    refusal(() => parseJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'x'))
  })

  test('answers a million levels and ten megabytes of open quotes without overflowing', () => {
    refusal(() => parseJson(nested(1_000_000), 'x'))
    refusal(() => parseJson(`["${'a'.repeat(10_000_000)}`, 'x'))
    refusal(() => parseJson(`["${'\\"'.repeat(1_000_000)}`, 'x'))
  })

  test('keeps the largest exact integers and fractions', () => {
    assert.equal(parseJson('[9007199254740992,-9007199254740991,0.1,1e3,5e-324,0.0]', 'x'), [
      2 ** 53,
      1 - 2 ** 53,
      0.1,
      1000,
      5e-324,
      0,
    ])
  })

  test('never accepts what JSON.parse or checkJson refuse', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-0',
      '1e9',
      ' ',
      '\\',
      'null',
    )
    const text = fc.array(piece, { maxLength: 12 }).map(pieces => pieces.join(''))
    fc.assert(
      fc.property(text, text => {
        let value: Json
        try {
          value = parseJson(text, 'x')
        } catch (thrown) {
          assert.is((thrown as Rm3Error).code, 'JSON_INVALID')
          return
        }
        assert.equal(value, checkJson(JSON.parse(text), 'x'))
      }),
      { numRuns: 3000 },
    )
  })
})

suite('canonicalJson', test => {
  test('writes the same text whatever the order of keys', () => {
    assert.is(
      canonicalJson({ b: [1, { d: 'ä"\n\u001f', c: null }], a: true }),
      canonicalJson({ a: true, b: [1, { c: null, d: 'ä"\n\u001f' }] }),
    )
    assert.is(canonicalJson({ 10: 1, 9: 2, a: { z: 1, 1: 2 } }), '{"10":1,"9":2,"a":{"1":2,"z":1}}')
  })

  test('sorts keys by code point', () => {
    assert.is(canonicalJson({ '\ue000': 1, '😀': 2, z: 3 }), '{"z":3,"\ue000":1,"😀":2}')
  })

  test('writes small fractions as Python does', () => {
    assert.is(
      canonicalJson([0.0001, 0.00001, 1.5e-7, -2e-10, 1e22, 0.1, 5e-324]),
      '[0.0001,1e-05,1.5e-07,-2e-10,1e+22,0.1,5e-324]',
    )
  })

  test('reads back as the same value', () => {
    fc.assert(
      fc.property(anyJson(), value => assertSame(parseJson(canonicalJson(value), 'x'), value)),
    )
  })

  test('is what hashDocument hashes', () => {
    const digest = hash('sha256', '{"a":"b","c":[1,2]}', 'hex')

    const text = hashDocument({ c: [1, 2], a: 'b' })

    assert.is(text, Buffer.from(digest.slice(0, 32), 'hex').toString('base64url'))
    assert.is(text.length, 22)
  })
})
