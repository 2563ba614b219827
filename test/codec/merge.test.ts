import fc from 'fast-check'
import type { Json, JsonObject } from '../../src/codec/json.ts'
import { merge } from '../../src/codec/merge.ts'
import { assert, suite } from '../harness.ts'
import { anyJson, anyKey, assertSame, longText } from './any-json.ts'

/** A value that is made of another one, or any. */
const related = (base: Json) =>
  fc
    .tuple(anyJson(), fc.nat(), fc.nat(3))
    .map(([json, seed, kind]) => edited(base, json, seed, kind))
const threeSides = () =>
  anyJson().chain(base => fc.tuple(fc.constant(base), related(base), related(base)))

function edited(base: Json, json: Json, seed: number, kind: number): Json {
  if (kind === 0 || base === null || typeof base !== 'object') return json
  const copy = structuredClone(base)
  if (Array.isArray(copy)) {
    copy.splice(seed % (copy.length + 1), kind % 2, json)
    return copy
  }
  const keys = Object.keys(copy)
  const key = keys[seed % (keys.length || 1)] ?? 'a'
  copy[key] = edited(copy[key] ?? null, json, seed >> 2, kind - 1)
  return copy
}

suite('merge', test => {
  test('takes what one side alone changed, for any values', () => {
    fc.assert(
      fc.property(anyJson(), anyJson(), (base, changed) => {
        assertSame(merge(base, changed, base), { value: changed, conflicts: [] })
        assertSame(merge(base, base, changed), { value: changed, conflicts: [] })
        assertSame(merge(base, changed, changed), { value: changed, conflicts: [] })
      }),
      { numRuns: 2000 },
    )
  })

  test('says the same with the sides swapped, and leaves all three as they were', () => {
    fc.assert(
      fc.property(threeSides(), ([base, one, other]) => {
        const copies = structuredClone([base, one, other])
        const there = merge(base, one, other)
        const back = merge(base, other, one)
        if (there.conflicts.length === 0) assertSame(there.value, back.value)
        const swapped = back.conflicts.map(({ one, other, ...rest }) => ({
          ...rest,
          ...(other !== undefined && { one: other }),
          ...(one !== undefined && { other: one }),
        }))
        assertSame(sorted(there.conflicts), sorted(swapped))
        assertSame([base, one, other], copies)
      }),
      { numRuns: 3000 },
    )
  })

  test('says the same of texts with the sides swapped', () => {
    fc.assert(
      fc.property(longText(), longText(), longText(), (base, one, other) => {
        const there = merge(base, one, other)
        const back = merge(base, other, one)
        assert.is(there.conflicts.length, back.conflicts.length)
        if (there.conflicts.length === 0) assert.is(there.value, back.value)
      }),
      { numRuns: 500 },
    )
  })

  test('never finds a conflict between changes of different members', () => {
    fc.assert(
      fc.property(members(), members(), members(), members(), (kept, both, ours, theirs) => {
        const name = (prefix: string, object: JsonObject) =>
          Object.fromEntries(Object.entries(object).map(([key, value]) => [prefix + key, value]))
        const base = { ...name('k', kept), ...name('o', both), ...name('t', both) }
        const one = { ...name('k', kept), ...name('o', ours), ...name('t', both) }
        const other = { ...name('k', kept), ...name('o', both), ...name('t', theirs) }
        const merged = { ...name('k', kept), ...name('o', ours), ...name('t', theirs) }
        assertSame(merge(base, one, other).conflicts, [])
        assertSame(sorted([merge(base, one, other).value]), sorted([merged]))
      }),
    )
  })

  for (const [kind, make] of [
    ['items of an array', (items: string[]) => items.map(item => ({ item })) as Json],
    ['lines of a text', (items: string[]) => items.map(item => `${item} and more\n`).join('')],
    ['words of a line', (items: string[]) => `${items.map(item => `${item} `).join('')}.`],
  ] as const) {
    test(`never finds a conflict between changes of ${kind} with one between`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 40 }), edits => {
          const base = edits.map((_, n) => `b${n}`)
          const apply = (side: number) =>
            base.flatMap((item, n) => {
              if (n % 4 !== side) return [item]
              return (
                [[item], [], [`${item}x`], [item, `i${n}`], [`i${n}`, item]][edits[n] ?? 0] ?? []
              )
            })
          const both = base.flatMap((item, n) =>
            n % 2 === 1 ? [item] : itemsAt(base, apply(n % 4), n),
          )
          const { value, conflicts } = merge(make(base), make(apply(0)), make(apply(2)))
          assertSame(conflicts, [])
          assertSame(value, make(both))
        }),
      )
    })
  }

  test('tells a conflict by its place, and has what the first side says', () => {
    const base = { a: { b: 'x' }, list: [1, 2], text: 'one two three\nfour\n', gone: 1 }
    const one = { a: { b: 'y' }, list: [1, 2, 3], text: 'one 2 three\nfour\n' }
    const other = { a: { b: 'z' }, list: [1, 2, 4], text: 'one II three\nfour\n', gone: 2 }

    assert.equal(merge(base, one, other), {
      value: one,
      conflicts: [
        { path: '/a/b', base: 'x', one: 'y', other: 'z' },
        { path: '/list', base: [], one: [3], other: [4] },
        {
          path: '/text',
          base: 'one two three\n',
          one: 'one 2 three\n',
          other: 'one II three\n',
        },
        { path: '/gone', base: 1, other: 2 },
      ],
    })
  })

  test('merges within one line, and within a block that both changed', () => {
    const line = 'The quick brown fox jumps over the dog.'
    const blocks = (first: string, second: string) => [{ first, second, id: 1 }]

    assert.is(
      merge(line, line.replace('quick', 'slow'), line.replace('dog', 'cat')).value,
      'The slow brown fox jumps over the cat.',
    )
    assert.equal(
      merge(blocks('a', 'b'), blocks('A', 'b'), blocks('a', 'B')).value,
      blocks('A', 'B'),
    )
    assert.is(merge('/a/b', '/x/b', '/a/y').conflicts.length, 1)
  })

  test('is bounded for long texts that have little in common', () => {
    const text = (seed: number) =>
      Array.from({ length: 20_000 }, (_, n) => `line ${(n * seed) % 977} ${n % seed}\n`).join('')
    const began = performance.now()
    merge(text(3), text(5), text(7))

    assert.ok(performance.now() - began < 10_000)
  })
})

const members = () =>
  fc
    .array(fc.tuple(anyKey(), anyJson()), { maxLength: 4 })
    .map(pairs => Object.fromEntries(pairs) as JsonObject)

/** By their text, keys in order. */
function sorted(values: readonly unknown[]): string[] {
  const ordered = (_: string, value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      : value
  return values.map(value => JSON.stringify(value, ordered)).sort()
}

/** What stands for item `n` of `base` in a sequence made of it by changes of single items. */
function itemsAt(base: readonly string[], changed: readonly string[], n: number): string[] {
  const before = base[n - 1]
  const after = base[n + 1]
  const from = before === undefined ? 0 : changed.indexOf(before) + 1
  const until = after === undefined ? changed.length : changed.indexOf(after)
  return changed.slice(from, until)
}
