import { isRm3Error } from '../../src/errors.ts'
import { makeCursor, readCursor } from '../../src/queries/cursor.ts'
import { assert, suite } from '../harness.ts'

const listing = { parent: 'wh', sort: 'path' }

suite('cursors', test => {
  test('give back the keys they were made of', () => {
    const cursor = makeCursor(listing, ['a', 7])

    assert.equal(readCursor(listing, cursor, ['string', 'number']), ['a', 7])
  })

  test('are refused by another listing, and when they are made up', () => {
    const cursor = makeCursor(listing, ['a', 7])
    const nul = makeCursor(listing, ['\0'])
    const tries: [object, string, ('string' | 'number')[]][] = [
      [{ parent: 'wh.x', sort: 'path' }, cursor, ['string', 'number']],
      [listing, cursor, ['string']],
      [listing, cursor, ['number', 'number']],
      [listing, 'zzz', ['string']],
      [listing, '', ['string']],
      [listing, nul, ['string']],
      [listing, 'x'.repeat(10_000), ['string']],
    ]
    for (const [of, text, types] of tries) {
      let code = ''
      try {
        readCursor(of, text, types)
      } catch (thrown) {
        code = isRm3Error(thrown) ? thrown.code : 'other'
      }
      assert.is(code, 'CURSOR_INVALID')
    }
  })
})
