import { checkEntries } from '../../src/log/check-entry.ts'
import type { LogEntry } from '../../src/log/event.ts'
import { assert, suite } from '../harness.ts'

const ID = '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'
const GOOD: LogEntry = {
  eventId: ID,
  stream: ID,
  revision: 1,
  type: 'PageRevised',
  version: 1,
  actor: 'root',
  at: '2020-02-29T23:59:59.999Z',
  note: null,
  meta: '{}',
  data: '{"a":[1,"}"]}',
}

suite('check-entry', test => {
  test('takes what the log keeps', () => {
    checkEntries([GOOD, { ...GOOD, revision: 2, recordedAt: '0001-01-01T00:00:00.000Z' }])
    checkEntries([{ ...GOOD, revision: 2_147_483_647, version: 32_767, note: '𝄞\n' }])
  })

  const bad: Record<string, readonly unknown[]> = {
    eventId: ['', ID.toUpperCase(), `${ID}"`, ID.slice(1), `${ID}\n`],
    stream: ['', 'wh.a', `${ID}","revision":1,"x":"`],
    revision: [0, -1, 1.5, Number.NaN, 2_147_483_648, Infinity, '1'],
    type: ['', 'pageRevised', 'Page-Revised', 'Page"', 'P'.repeat(65), 'Page\n'],
    version: [0, 32_768, 0.5],
    actor: ['', 'Root', 'a b', 'a"', 'a\n', 'x'.repeat(65)],
    at: [
      '',
      '2020-01-01T00:00:00Z',
      '2020-01-01T00:00:00.0001Z',
      '2020-02-30T00:00:00.000Z',
      '2020-01-01T24:00:00.000Z',
      '2020-01-01T00:00:00.000+02:00',
      '0000-01-01T00:00:00.000Z',
      '12020-01-01T00:00:00.000Z',
      'infinity',
    ],
    recordedAt: ['now', '-infinity', '2020-13-01T00:00:00.000Z'],
    note: ['\ud800', 'a\udc00'],
  }
  for (const [field, values] of Object.entries(bad)) {
    test(`refuses a malformed ${field}`, () => {
      for (const value of values) {
        assert.is(codeOf([{ ...GOOD, [field]: value }]), `REQUEST_INVALID ${field}`, String(value))
      }
    })
  }

  test('refuses meta and data that are not one JSON object and nothing else', () => {
    const texts = [
      '',
      'null',
      '1',
      '[]',
      '"a"',
      ' {}',
      '{}\n',
      '{',
      '{"a":1},"actor":"root","b":{}',
      '{"a":1}}',
      "{'a':1}",
      '{"a":\u0001}',
      '{"a":"\ud800"}',
      '{"a":NaN}',
    ]
    for (const text of texts) {
      assert.is(codeOf([{ ...GOOD, data: text }]), 'JSON_INVALID data', text)
      assert.is(codeOf([{ ...GOOD, meta: text }]), 'JSON_INVALID meta', text)
    }
  })

  test('refuses revisions of a stream that do not follow one another', () => {
    const at = (revision: number, stream = ID) => ({ ...GOOD, revision, stream })
    const other = ID.replace('0', 'f')

    assert.is(codeOf([at(1), at(3)]), 'REQUEST_INVALID revision')
    assert.is(codeOf([at(1), at(1)]), 'REQUEST_INVALID revision')
    assert.is(codeOf([at(2), at(1)]), 'REQUEST_INVALID revision')
    assert.is(codeOf([at(4), at(1, other), at(5), at(2, other)]), 'none')
    assert.is(codeOf([]), 'REQUEST_INVALID undefined')
  })
})

function codeOf(entries: readonly LogEntry[]): string {
  try {
    checkEntries(entries)
    return 'none'
  } catch (thrown) {
    const { code, details } = thrown as { code: string; details: { field?: string } }
    return `${code} ${details.field}`
  }
}
