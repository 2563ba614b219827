import fc from 'fast-check'
import type { Document } from '../../src/content/document.ts'
import { withFields } from '../../src/content/with-fields.ts'
import type { Rm3Error } from '../../src/errors.ts'
import { anyJson, anyKey, assertSame, thrownBy } from '../codec/any-json.ts'
import { assert, suite } from '../harness.ts'

const now: Document = {
  proto: 'base',
  hidden: false,
  summary: { title: 'now', abstract: 'a', 'a/b': 1 },
  data: { list: [1, 2] },
  tags: {},
}
const then: Document = {
  proto: 'blog',
  hidden: true,
  summary: { title: 'then', abstract: 'b', 'a/b': 2, lead: { text: 'x', more: 'y' } },
  data: {},
  tags: { about: [{ '@id': 't', objClass: 'tag' }] },
}

suite('withFields', test => {
  test('takes members from the other document, and nothing else', () => {
    const result = withFields(now, then, ['/summary/title', '/summary/a~1b', '/hidden', '/tags'])

    assert.equal(result, {
      ...now,
      hidden: true,
      summary: { title: 'then', abstract: 'a', 'a/b': 2 },
      tags: then.tags,
    })
  })

  test('takes away what the other has not, and makes objects on the way', () => {
    assert.equal(withFields(now, then, ['/data/list']).data, {})
    assert.equal(withFields(now, then, ['/summary/lead/text']).summary['lead'], { text: 'x' })
  })

  test('has the member of the other and all else as it was, whatever they are', () => {
    const members = () =>
      fc
        .array(fc.tuple(anyKey(), anyJson()), { maxLength: 5 })
        .map(pairs => Object.fromEntries(pairs))
    fc.assert(
      fc.property(members(), members(), anyKey(), (one, other, key) => {
        if (!Object.hasOwn(one, key) && !Object.hasOwn(other, key)) return
        const pointer = `/data/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        const { data } = withFields({ ...now, data: one }, { ...now, data: other }, [pointer])
        const { [key]: _, ...rest } = one
        const value = Object.hasOwn(other, key) ? [[key, other[key]]] : []
        assertSame(data, { ...rest, ...Object.fromEntries(value) })
      }),
    )
  })

  test('refuses what is no pointer to a member, or leaves no document', () => {
    const codeOf = (pointer: string) =>
      (thrownBy(() => withFields(now, then, [pointer])) as Rm3Error).code

    for (const pointer of ['', 'title', '/nothing', '/data/list/0', '/summary/~2', '/proto/x']) {
      assert.is(codeOf(pointer), 'REQUEST_INVALID', pointer)
    }
    const gone = { ...then, summary: {} } as Document
    assert.is(
      (thrownBy(() => withFields(now, gone, ['/summary/title'])) as Rm3Error).code,
      'DOCUMENT_INVALID',
    )
  })
})
