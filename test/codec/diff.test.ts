import fc from 'fast-check'
import { diff } from '../../src/codec/diff.ts'
import type { Json, JsonObject } from '../../src/codec/json.ts'
import { assert, suite } from '../harness.ts'
import { anyJson, anyKey, assertSame } from './any-json.ts'
import { naivePatch } from './naive-patch.ts'

const blocks = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    type: 'text',
    id: `b${n}`,
    text: `Text of block ${n}, of some length.`,
  }))
const lawHolds = (before: Json, after: Json) => {
  const copies = structuredClone([before, after])
  const operations = diff(before, after)
  assertSame(naivePatch(before, operations), after)
  assertSame([before, after], copies)
  return operations
}
/** A value and one made of it by a few edits anywhere. */
const edited = () =>
  fc
    .tuple(
      anyJson(),
      fc.array(fc.tuple(fc.nat(), fc.nat(5), anyKey(), anyJson()), { maxLength: 6 }),
    )
    .map(([value, edits]) => {
      const after = structuredClone({ root: value }) as { root: Json }
      for (const [seed, kind, key, json] of edits)
        edit(after, seed, kind, key, structuredClone(json))
      return [value, after.root] as const
    })
function edit(value: Json, seed: number, kind: number, key: string, json: Json): void {
  if (value === null || typeof value !== 'object') return
  const target = value as JsonObject
  const keys = Object.keys(target)
  const chosen = keys[seed % keys.length] as string
  const child = target[chosen] as Json
  if (seed % 3 > 0 && child !== null && typeof child === 'object')
    edit(child, seed >> 2, kind, key, json)
  else if (Array.isArray(target))
    target.splice(
      seed % (target.length + 1),
      kind % 3,
      ...(kind > 2 ? [json, json] : [json]).slice(kind % 2),
    )
  else if (!('root' in target) && kind < 2) delete target[chosen]
  else if (!('root' in target) && kind < 4) target[key] = json
  else target[chosen] = json
}

suite('diff', test => {
  test('makes the second value out of the first, for any two values', () => {
    fc.assert(
      fc.property(anyJson(), anyJson(), (before, after) => void lawHolds(before, after)),
      { numRuns: 3000 },
    )
  })

  test('makes the second value out of the first, for values that are alike', () => {
    fc.assert(
      fc.property(edited(), ([before, after]) => void lawHolds(before, after)),
      { numRuns: 5000 },
    )
  })

  test('makes the second array out of the first, for arrays full of duplicates', () => {
    const item = fc.oneof(
      fc.nat(3),
      fc.constantFrom('a', 'b'),
      fc.nat(2).map(n => ({ n, kind: 'block', text: 'x' })),
    )
    const array = fc.array(item as fc.Arbitrary<Json>, { maxLength: 40 })
    fc.assert(
      fc.property(array, array, (before, after) => void lawHolds(before, after)),
      { numRuns: 3000 },
    )
  })

  test('finds nothing between equal values, whatever the order of their keys', () => {
    fc.assert(
      fc.property(anyJson(), value => assert.equal(diff(value, structuredClone(value)), [])),
    )
    assert.equal(diff({ a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2, c: 1 }], a: 1 }), [])
  })

  test('says an inserted block in one operation', () => {
    const before = { blocks: blocks(200) }
    const block = { type: 'image', id: 'new', src: '/a.jpg' }

    for (const at of [0, 77, 200]) {
      const after = { blocks: before.blocks.toSpliced(at, 0, block as never) }
      assert.equal(lawHolds(before, after), [{ op: 'add', path: `/blocks/${at}`, value: block }])
    }
  })

  test('says a removed block in one operation', () => {
    const before = { blocks: blocks(200) }

    assert.equal(lawHolds(before, { blocks: before.blocks.toSpliced(0, 1) }), [
      { op: 'remove', path: '/blocks/0' },
    ])
  })

  test('finds the edited field of a block, also beside inserted and removed ones', () => {
    const before = blocks(6)
    const edited = { ...(before[3] as object), text: 'Another text.' }
    const added = { type: 'image', id: 'new', src: '/a.jpg' }

    const after = [before[0], before[1], added, edited, before[5]] as Json

    assert.equal(lawHolds(before, after), [
      { op: 'replace', path: '/2', value: added },
      { op: 'replace', path: '/3/text', value: 'Another text.' },
      { op: 'remove', path: '/4' },
    ])
  })

  test('replaces a value whole when that is shorter', () => {
    const before = {
      keep: 'x'.repeat(100),
      list: Array.from({ length: 50 }, (_, n) => `item ${n}`),
    }

    const after = { keep: before.keep, list: ['one', 'two'] }

    assert.equal(lawHolds(before, after), [{ op: 'replace', path: '/list', value: ['one', 'two'] }])
  })

  test('replaces what changes its kind, up to the whole document', () => {
    assert.equal(diff([1], { 0: 1 }), [{ op: 'replace', path: '', value: { 0: 1 } }])
    assert.equal(diff({ a: null }, { a: {} }), [{ op: 'replace', path: '/a', value: {} }])
    assert.equal(diff(1, 2), [{ op: 'replace', path: '', value: 2 }])
  })

  test('escapes keys in pointers', () => {
    const long = 'x'.repeat(200)

    assert.equal(
      lawHolds({ 'a/b': { '~': { '': 1, long } } }, { 'a/b': { '~': { '': 2, long } } }),
      [{ op: 'replace', path: '/a~1b/~0/', value: 2 }],
    )
  })

  test('holds for arrays too large and too different for the shortest edit', () => {
    const before = Array.from({ length: 6000 }, (_, n) => `line ${n}`)
    const shuffled = before.toSorted(
      (a, b) => ((Number(a.slice(5)) * 7919) % 6007) - ((Number(b.slice(5)) * 7919) % 6007),
    )
    const other = before.map(line => `other ${line}`)
    const sparse = before.filter((_, n) => n % 5 > 0)
    const repeated = before.map((_, n) => `line ${n % 2}`)

    for (const after of [shuffled, other, repeated, [...other, ...before]]) lawHolds(before, after)
    lawHolds(repeated, repeated.toReversed())
    assert.is(lawHolds(before, sparse).length, 1200)
  })
})
