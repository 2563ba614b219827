import fc from 'fast-check'
import { applyChange, editWithPatches, makeChange } from '../../src/codec/change.ts'
import type { Json, JsonObject } from '../../src/codec/json.ts'
import { fromSegments, toSegments } from '../../src/codec/segments.ts'
import { isRm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { anyJson, assertSame, longText, thrownBy } from './any-json.ts'

const lines = (count: number) =>
  Array.from({ length: count }, (_, n) => `Line ${n} of a text, as long as lines are in texts.\n`)
const documents = () =>
  fc
    .array(fc.tuple(anyJson(), longText(), anyJson()), { minLength: 2, maxLength: 6 })
    .map(list =>
      list.map(([data, text, more]) => ({ data, text, more: [more, text.slice(0, 600)] }) as Json),
    )

suite('makeChange', test => {
  test('says an edited line of a long text in one short operation', () => {
    const text = lines(300)
    const before = { title: 'a', text: text.join('') }

    const operations = makeChange(before, { title: 'a', text: text.with(150, 'New.\n').join('') })

    assert.equal(operations, [{ op: 'replace', path: '/text/$text/150', value: 'New.\n' }])
  })

  test('folds to every document of a history, in the segmented form and through JSON text', () => {
    fc.assert(
      fc.property(documents(), history => {
        let segmented = toSegments(history[0] as Json)
        history.slice(1).forEach((document, index) => {
          const operations = makeChange(history[index] as Json, document)
          segmented = applyChange(segmented, JSON.parse(JSON.stringify(operations)))
          assertSame(fromSegments(segmented), document)
          assertSame(segmented, toSegments(document))
        })
      }),
      { numRuns: 1000 },
    )
  })

  test('says nothing of equal documents', () => {
    assert.equal(makeChange({ a: 'x'.repeat(1000), b: 1 }, { b: 1, a: 'x'.repeat(1000) }), [])
  })
})

suite('applyChange', test => {
  test('says that the log is damaged when a change does not fit', () => {
    const error = thrownBy(() => applyChange({ a: 1 }, [{ op: 'remove', path: '/b' }]))

    assert.ok(isRm3Error(error, 'LOG_DAMAGED'))
  })
})

suite('editWithPatches', test => {
  const text = lines(100).join('')
  const before = () => ({
    hidden: false,
    title: 'a',
    text,
    tags: ['a', 'b'],
    data: { $text: 1, 'a/b': 2 } as JsonObject,
  })

  test('says a switched flag in one operation', () => {
    const document = before()

    const edit = editWithPatches(document, draft => {
      draft.hidden = true
    })

    assert.equal(edit.operations, [{ op: 'replace', path: '/hidden', value: true }])
    assert.equal(edit.after, { ...before(), hidden: true })
    assert.equal(document, before())
    assert.not(Object.isFrozen(document))
  })

  test('says nothing when nothing changes', () => {
    assert.equal(editWithPatches(before(), () => {}).operations, [])
  })

  test('leads to the segmented form, whatever is edited', () => {
    const recipes: ((draft: ReturnType<typeof before>) => unknown)[] = [
      draft => draft.tags.shift(),
      draft => draft.tags.push('c'),
      draft => Object.assign(draft, { text: draft.text.replace('Line 50', 'Line fifty') }),
      draft => Object.assign(draft, { text: 'short' }),
      draft => Object.assign(draft, { title: text }),
      draft => Object.assign(draft, { data: { $text: 'b', $$text: [1] } }),
      draft => Object.assign(draft.data, { $text: 2, $$text: 3 }),
      draft =>
        Reflect.deleteProperty(draft.data, 'a/b') && Reflect.deleteProperty(draft.data, '$text'),
      draft => Object.assign(draft.data, Object.fromEntries(lines(20).map(line => [line, 1]))),
    ]
    for (const recipe of recipes) {
      const { after, operations } = editWithPatches(before(), recipe)

      assert.equal(applyChange(toSegments(before()), operations), toSegments(after))
      assert.ok(JSON.stringify(operations).length < 8000)
    }
  })

  test('refuses what is no JSON', () => {
    for (const bad of [undefined, Number.NaN, new Date(0), 'a\0', -0, [undefined]]) {
      const error = thrownBy(() =>
        editWithPatches(before(), draft => {
          draft.data['a/b'] = bad as Json
        }),
      )
      assert.ok(isRm3Error(error, 'JSON_INVALID'))
    }
  })
})
