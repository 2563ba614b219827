import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkDocument, checkImportedDocument } from '../../src/content/check-document.ts'
import { Rm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'

const { RM3_TEST_DATA = '../shared/data' } = process.env
const BACKUPS = join(RM3_TEST_DATA, 'rm3-backups')
const tag = { '@id': 'navbar', objClass: 'tag' }
const page = {
  proto: 'blog',
  hidden: true,
  summary: { title: 'A title', abstract: '' },
  data: { posting: 'text' },
  tags: { navigation: [tag], place: [{ objClass: 'geo', lat: 52.5, lon: 13.4 }] },
}

function refusal(value: unknown, check = checkDocument): string {
  try {
    check(value)
  } catch (thrown) {
    if (!(thrown instanceof Rm3Error)) throw thrown
    const { pointer } = thrown.details
    return `${thrown.code} ${String(pointer)}`
  }
  throw new Error('expected a refusal')
}

suite('documents from callers', test => {
  test('a good document comes back as it is, with what was absent', () => {
    const { hidden: _, tags: __, ...least } = page
    assert.equal(checkDocument(page), page)
    assert.equal(checkDocument(least), { ...least, hidden: false, tags: {} })
    const spaced = { ...page, summary: { title: ' x ' } }
    assert.equal(checkDocument(spaced), spaced)
  })

  test('each broken rule is refused and pointed at', () => {
    const long = 'x'.repeat(501)
    const cases: [at: string, changed: object][] = [
      ['/proto', { proto: 'Blog' }],
      ['/proto', { proto: `a${'b'.repeat(64)}` }],
      ['/proto', { proto: '' }],
      ['/proto', { proto: 7 }],
      ['/hidden', { hidden: 'true' }],
      ['/hidden', { hidden: null }],
      ['/summary', { summary: [] }],
      ['/summary', { summary: { title: 'x', abstract: 'ä'.repeat(33_000) } }],
      ['/summary/title', { summary: {} }],
      ['/summary/title', { summary: { title: ' \n\u00a0' } }],
      ['/summary/title', { summary: { title: long } }],
      ['/summary/title', { summary: { title: ['x'] } }],
      ['/data', { data: null }],
      ['', { data: { posting: 'x'.repeat(4 * 1024 * 1024) } }],
      ['/tags', { tags: [] }],
      ['/tags', { tags: { a: Array(300).fill(tag), b: Array(300).fill(tag) } }],
      ['/tags/a~1b', { tags: { 'a/b': tag } }],
      ['/tags/', { tags: { '': [] } }],
      ['/tags/a/1', { tags: { a: [tag, 'x'] } }],
      ['/tags/a/0/@id', { tags: { a: [{ objClass: 'tag' }] } }],
      ['/tags/a/0/objClass', { tags: { a: [{ '@id': 'x' }] } }],
      ['/tags/a/0/lat', { tags: { a: [{ objClass: 'geo', lat: 91, lon: 0 }] } }],
      ['/path', { path: 'wh.x' }],
      ['/constructor', { constructor: {} }],
    ]
    for (const [at, changed] of cases) {
      const value: unknown = { ...page, ...changed }
      assert.is(refusal(value), `DOCUMENT_INVALID ${at}`, JSON.stringify(changed).slice(0, 80))
    }
    for (const value of [null, [], 'x', 7]) assert.is(refusal(value), 'DOCUMENT_INVALID ')
    assert.is(refusal({}), 'DOCUMENT_INVALID /proto')
    assert.is(refusal({ proto: 'blog', summary: page.summary }), 'DOCUMENT_INVALID /data')
  })

  test('what is not JSON that rm3 keeps is refused', () => {
    const proto: unknown = JSON.parse('{"a": {"__proto__": {"admin": true}}}')
    assert.match(refusal({ ...page, data: proto }), 'JSON_INVALID /data/a')
    assert.match(refusal({ ...page, data: { a: 'x\0' } }), 'JSON_INVALID /data/a')
    assert.match(refusal({ ...page, data: { a: undefined } }), 'JSON_INVALID /data/a')
    assert.match(refusal(undefined), 'JSON_INVALID')
  })
})

suite('documents from old backups', test => {
  test('anything of the shape is kept', () => {
    const odd = { proto: 'My Own', summary: { abstract: 1 }, data: null, tags: { '': 'x' } }
    assert.equal(checkImportedDocument(odd), { ...odd, hidden: false, data: {} })
    assert.is(refusal({ ...odd, summary: 'x' }, checkImportedDocument), 'DOCUMENT_INVALID /summary')
    assert.is(refusal({ ...odd, proto: null }, checkImportedDocument), 'DOCUMENT_INVALID /proto')
    assert.is(refusal({ ...odd, hidden: 1 }, checkImportedDocument), 'DOCUMENT_INVALID /hidden')
    assert.is(refusal({ ...odd, x: 1 }, checkImportedDocument), 'DOCUMENT_INVALID /x')
  })

  if (!existsSync(BACKUPS)) {
    test.skip('every page of the real backups passes both checks', `there is no ${BACKUPS}`)
    return
  }
  test('every page of the real backups passes both checks', () => {
    const files = readdirSync(BACKUPS, { recursive: true, encoding: 'utf8' })
    const records = files.filter(file => file.endsWith('-data.json'))
    assert.ok(records.length > 0)
    for (const file of records) {
      const record = JSON.parse(readFileSync(join(BACKUPS, file), 'utf8')) as Partial<typeof page>
      const { proto, hidden = null, summary, data, tags = null } = record
      const document = checkImportedDocument({ proto, hidden, summary, data, tags })
      assert.equal(checkDocument(document), document, file)
    }
  })
})
