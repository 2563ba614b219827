import fc from 'fast-check'
import { diff } from '../../src/codec/diff.ts'
import { applyTrusted } from '../../src/codec/fold.ts'
import type { Json } from '../../src/codec/json.ts'
import { applyPatch, checkPatch, mergePatch, type Operation } from '../../src/codec/patch.ts'
import { pointerOf } from '../../src/codec/pointer.ts'
import { isRm3Error, type Rm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { anyJson, anyKey, assertSame, thrownBy } from './any-json.ts'
import { naivePatch } from './naive-patch.ts'

const refused = (act: () => unknown, code = 'PATCH_INVALID') => {
  const error = thrownBy(act) as Rm3Error
  assert.is(error.code, code, error.stack)
  return error
}
const outside = (document: Json, operations: unknown) =>
  applyPatch(document, checkPatch(operations))
const prototypeKeys = Object.getOwnPropertyNames(Object.prototype).join()
const frozen = <T>(value: T): T => {
  if (value !== null && typeof value === 'object')
    Object.values(Object.freeze(value)).forEach(frozen)
  return value
}
const addBomb = (size: number) => [{ op: 'add', path: '/big', value: 'x'.repeat(size) }]

suite('checkPatch', test => {
  const from = '/b'
  const value = 1
  for (const [name, patch] of Object.entries({
    'no array': { op: 'remove', path: '/a' },
    'an operation that is null': [null],
    'an op looked up through the prototype': [{ op: 'constructor', path: '/a' }],
    'the op toString': [{ op: 'toString', path: '/a', value }],
    'the op _get': [{ op: '_get', path: '/a' }],
    'the op __proto__': [{ op: '__proto__', path: '/a' }],
    'an inherited op': [Object.create({ op: 'remove', path: '/a' })],
    'no value': [{ op: 'add', path: '/a' }],
    'a member too many': [{ op: 'remove', path: '/a', value }],
    'from where it is not used': [{ op: 'add', path: '/a', value, from }],
    'no from': [{ op: 'move', path: '/a' }],
    'a path that is no text': [{ op: 'remove', path: ['a'] }],
    'a path without a slash': [{ op: 'remove', path: 'a' }],
    'a path with a bad escape': [{ op: 'remove', path: '/a~2' }],
    'a path through __proto__': [{ op: 'add', path: '/__proto__/x', value }],
    'a path through constructor': [{ op: 'add', path: '/constructor/prototype/x', value }],
    'a from through prototype': [{ op: 'copy', from: '/prototype', path: '/x' }],
    'a value with __proto__': [
      { op: 'add', path: '/a', value: JSON.parse('{"__proto__":{"admin":true}}') },
    ],
    'a value of undefined': [{ op: 'add', path: '/a', value: undefined }],
    'a NUL in a path': [{ op: 'remove', path: '/a\0' }],
    'a path too deep': [{ op: 'add', path: '/a'.repeat(65), value }],
    'too many operations': Array(101).fill({ op: 'remove', path: '/a' }),
  })) {
    test(`refuses ${name}`, () => {
      refused(() => checkPatch(patch))
      assert.is(Object.getOwnPropertyNames(Object.prototype).join(), prototypeKeys)
    })
  }

  test('names the operation', () => {
    const good = { op: 'remove', path: '/a' }

    const place = { operation: 1, pointer: '/1' }
    assert.equal(refused(() => checkPatch([good, { op: 'no', path: '' }])).details, place)
    assert.equal(
      refused(() => checkPatch([good, good, { op: 'add', path: '', value: [-0] }])).details,
      {
        operation: 2,
        pointer: '/2/value/0',
      },
    )
  })

  test('gives back what is a patch', () => {
    const patch = [
      { op: 'add', path: '/a~1b/-', value: { constructor: 1 } },
      { op: 'test', path: '', value: null },
      { op: 'copy', from: '', path: '/' },
    ]

    assert.equal(checkPatch(patch), patch as Operation[])
  })
})

suite('applyPatch', test => {
  test('does what the RFC tells', () => {
    const document = frozen({ a: [1, 2, 3], b: { c: 'd' }, '': { 'm~n': 1 } })
    for (const [patch, expected] of [
      [[{ op: 'add', path: '/a/-', value: 4 }], { ...document, a: [1, 2, 3, 4] }],
      [[{ op: 'add', path: '/a/3', value: 4 }], { ...document, a: [1, 2, 3, 4] }],
      [[{ op: 'add', path: '/a/0', value: [0] }], { ...document, a: [[0], 1, 2, 3] }],
      [[{ op: 'add', path: '/b/c', value: null }], { ...document, b: { c: null } }],
      [[{ op: 'replace', path: '//m~0n', value: 2 }], { ...document, '': { 'm~n': 2 } }],
      [[{ op: 'remove', path: '/a/1' }], { ...document, a: [1, 3] }],
      [[{ op: 'move', from: '/a/0', path: '/a/2' }], { ...document, a: [2, 3, 1] }],
      [[{ op: 'move', from: '/b/c', path: '/b/c' }], document],
      [[{ op: 'copy', from: '', path: '/b/c' }], { ...document, b: { c: document } }],
      [[{ op: 'move', from: '/b', path: '' }], { c: 'd' }],
      [[{ op: 'test', path: '', value: structuredClone(document) }], document],
      [[{ op: 'replace', path: '', value: 7 }], 7],
    ] as const) {
      assert.equal(outside(document, patch), expected as Json, JSON.stringify(patch))
    }
  })

  for (const [name, operation] of Object.entries({
    'an index past the end': { op: 'add', path: '/a/3', value: 1 },
    'an index that wraps': { op: 'add', path: '/a/4294967294', value: 1 },
    'an index of 2^32': { op: 'replace', path: '/a/4294967296', value: 1 },
    'a negative index': { op: 'add', path: '/a/-1', value: 1 },
    'an index with a leading zero': { op: 'replace', path: '/a/01', value: 1 },
    'an index that is a number otherwise': { op: 'replace', path: '/a/1e0', value: 1 },
    'the length as a member': { op: 'replace', path: '/a/length', value: 0 },
    'an end that is not for removing': { op: 'remove', path: '/a/-' },
    'a removed index past the end': { op: 'remove', path: '/a/2' },
    'a missing member': { op: 'remove', path: '/none' },
    'a missing parent': { op: 'add', path: '/none/a', value: 1 },
    'a parent that is a text': { op: 'add', path: '/b/0', value: 1 },
    'an inherited member': { op: 'replace', path: '/toString', value: 1 },
    'a path through an inherited member': { op: 'add', path: '/toString/x', value: 1 },
    'a source that is inherited': { op: 'copy', from: '/hasOwnProperty', path: '/x' },
    'a source that is missing': { op: 'move', from: '/none', path: '/x' },
    'a move into itself': { op: 'move', from: '/a', path: '/a/0' },
    'a move of all into a part': { op: 'move', from: '', path: '/x' },
    'a move past the end after removal': { op: 'move', from: '/a/0', path: '/a/2' },
    'removal of the whole document': { op: 'remove', path: '' },
  })) {
    test(`refuses ${name}, names the operation and changes nothing`, () => {
      const document = { a: [1, 2], b: 'text' }

      const error = refused(() =>
        outside(document, [{ op: 'replace', path: '/a/0', value: 9 }, operation]),
      )

      assert.equal(error.details, { operation: 1, pointer: operation.path })
      assert.equal(document, { a: [1, 2], b: 'text' })
      assert.is(Object.getOwnPropertyNames(Object.prototype).join(), prototypeKeys)
    })
  }

  test('refuses banned steps also in operations that nothing has checked', () => {
    for (const path of ['/__proto__/x', '/constructor/prototype/x', '/__proto__']) {
      refused(() => applyPatch({}, [{ op: 'add', path, value: 1 }]))
    }
  })

  test('tells a failing test from an invalid patch', () => {
    const details = { operation: 0, pointer: '/a' }

    assert.equal(
      refused(
        () => outside({ a: 1 }, [{ op: 'test', path: '/a', value: '1' }]),
        'PATCH_TEST_FAILED',
      ).details,
      details,
    )
    assert.equal(
      refused(() => outside({}, [{ op: 'test', path: '/a', value: null }]), 'PATCH_TEST_FAILED')
        .details,
      details,
    )
  })

  test('stops bombs before they grow', () => {
    const doubling = Array.from({ length: 40 }, (_, n) => ({ op: 'copy', from: '', path: `/${n}` }))
    const deepening = Array.from({ length: 90 }, () => ({ op: 'copy', from: '', path: '/a' }))
    const shuttle = Array.from({ length: 90 }, (_, n) => ({
      op: 'move',
      from: n % 2 ? '/b' : '/big',
      path: n % 2 ? '/big' : '/b',
    }))

    refused(() => outside({ a: 'x'.repeat(100) }, doubling))
    refused(() => outside({ a: [] }, deepening))
    refused(() => outside({}, [...addBomb(4_000_000), ...shuttle]))
    refused(() => outside({ there: 'x'.repeat(4_000_000) }, addBomb(300_000)))
    refused(() => outside({}, [{ op: 'add', path: '', value: {} }, ...addBomb(5_000_000)]))
  })

  test('keeps a copy and its original apart', () => {
    const patch = [
      { op: 'add', path: '/a/x', value: [1] },
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/a/x/-', value: 2 },
      { op: 'add', path: '/b/x/0', value: 0 },
    ]

    assert.equal(outside({ a: {} }, patch), { a: { x: [1, 2] }, b: { x: [0, 1] } })
    assert.equal(patch[0]?.value, [1])
  })

  test('shares what it leaves alone', () => {
    const document = frozen({ kept: { a: [1] }, changed: { b: 1, kept: [2] } })

    const result = outside(document, [
      { op: 'replace', path: '/changed/b', value: 2 },
    ]) as typeof document

    assert.is(result.kept, document.kept)
    assert.is(result.changed.kept, document.changed.kept)
  })

  test('agrees with a naive implementation on random patches, and with itself on frozen input', () => {
    const token = fc.oneof(anyKey(), fc.nat(4).map(String))
    const path = fc.array(token, { maxLength: 3 }).map(pointerOf)
    const operation = fc.oneof(
      fc.record({ op: fc.constantFrom('add', 'replace'), path, value: anyJson() }),
      fc.record({ op: fc.constant('remove'), path }),
    ) as fc.Arbitrary<Operation>
    const property = fc.property(
      anyJson(),
      fc.array(operation, { minLength: 1, maxLength: 4 }),
      (document, operations) => {
        if (
          operations.some(
            ({ op, path }) => /constructor|-/.test(path) || (op === 'remove' && path === ''),
          )
        )
          return
        const expected = outcome(() => naivePatch(document, operations))
        assertSame(
          outcome(() => applyPatch(frozen(document), frozen(operations))),
          expected,
        )
      },
    )
    fc.assert(property, { numRuns: 5000 })
  })

  test('agrees with a naive implementation on patches that fit', () => {
    fc.assert(
      fc.property(anyJson(), anyJson(), anyJson(), (first, second, third) => {
        const operations = [...diff(first, second), ...diff(second, third)]
        assertSame(applyTrusted(frozen(first), operations), third)
        if (!operations.some(({ path }) => path.includes('constructor')))
          assertSame(applyPatch(first, operations), third)
      }),
      { numRuns: 3000 },
    )
  })
})

function outcome(act: () => Json): unknown {
  try {
    return { value: act() }
  } catch {
    return 'refused'
  }
}

suite('applyTrusted', test => {
  test('says that the log is damaged by whatever does not apply', () => {
    const document = frozen({ a: [1], b: { c: 1 } })
    for (const operation of [
      { op: 'remove', path: '/a/1' },
      { op: 'remove', path: '/x' },
      { op: 'remove', path: '' },
      { op: 'add', path: '/a/2', value: 1 },
      { op: 'add', path: '', value: 1 },
      { op: 'add', path: '/a/-', value: 1 },
      { op: 'add', path: '/b/c/d', value: 1 },
      { op: 'add', path: 'b', value: 1 },
      { op: 'add', path: '/__proto__', value: { admin: true } },
      { op: 'add', path: '/__proto__/admin', value: true },
      { op: 'add', path: '/b' },
      { op: 'replace', path: '/b/toString', value: 1 },
      { op: 'test', path: '/a', value: [1] },
      { op: 'move', from: '/a', path: '/d' },
      { op: 'constructor', path: '/a' },
    ]) {
      const error = thrownBy(() => applyTrusted(document, [operation as Operation]))
      assert.ok(isRm3Error(error, 'LOG_DAMAGED'), JSON.stringify(operation))
    }
  })
})

suite('mergePatch', test => {
  test('does what the examples of RFC 7396 do', () => {
    for (const [document, patch, expected] of [
      [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
      [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
      [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
      [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
      [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
      [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
      [
        ['a', 'b'],
        ['c', 'd'],
        ['c', 'd'],
      ],
      [{ a: 'b' }, ['c'], ['c']],
      [{ a: 'foo' }, null, null],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [[1, 2], { a: 'b', c: null }, { a: 'b' }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ] as const) {
      assert.equal(mergePatch(frozen(document) as Json, frozen(patch) as Json), expected as Json)
    }
  })

  test('does not reach what objects inherit', () => {
    const patch = JSON.parse('{"a":{"__proto__":{"admin":true}}}')

    refused(() => mergePatch({ a: {} }, patch))
    assert.equal(mergePatch({}, { toString: { a: 1 } }), { toString: { a: 1 } } as unknown as Json)
    assert.is(({} as { admin?: true }).admin, undefined)
  })
})
