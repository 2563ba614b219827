import { closureOf } from '../../src/backup/part-closure.ts'
import type { ProvableEvent } from '../../src/log/copy-history.ts'
import { assert, suite } from '../harness.ts'

const [PAGE, ANN, BOB] = ['1', '2', '3'].map(digit => `0000000${digit}-0000-4000-8000-000000000000`)
const event = (of: Partial<ProvableEvent>) =>
  ({ stream: PAGE, actor: 'root', type: 'PageRevised', data: '{}', ...of }) as ProvableEvent
const attached = (digit: string, name: string) =>
  event({ type: 'BlobAttached', data: JSON.stringify({ sha256: digit.repeat(64), name }) })

suite('what a part of a site needs', test => {
  test('is its files, each once; pages above and users who are elsewhere are told', () => {
    const part = [
      event({ actor: ANN as string }),
      event({ actor: BOB as string, stream: BOB as string }),
      event({ actor: ANN as string }),
      attached('a', 'one'),
      attached('a', 'again'),
      attached('b', 'two'),
      event({ type: 'BlobAttached', data: null }),
    ]

    assert.equal(closureOf(part, 'wh.a.b'), {
      files: 2,
      authorsOutside: [ANN],
      above: ['wh', 'wh.a'],
    })
  })

  test('of all of a site is nothing', () => {
    assert.equal(closureOf([event({})], null), { files: 0, authorsOutside: [], above: [] })
    assert.equal(closureOf([event({})], 'wh').above, [])
  })
})
