import type { Db } from '../../src/pg/db.ts'
import { gathered } from '../../src/pg/gathered.ts'
import { assert, rejection, suite } from '../harness.ts'

/** A handle that is asked nothing itself. */
const handle = (): Db => ({}) as Db

/** Answers each key in capitals, and keeps what was asked together. */
function recording(keysMax: number) {
  const asked: string[][] = []
  const find = gathered(keysMax, async (_db, keys) => {
    asked.push(keys)
    return keys.map(key => key.toUpperCase())
  })
  return { asked, find }
}

suite('gathered questions', test => {
  test('go together when they are asked in one turn, each with its answer', async () => {
    const { asked, find } = recording(10)
    const db = handle()

    const answers = await Promise.all([find(db, 'a'), find(db, 'b'), find(db, 'c')])

    assert.equal(answers, ['A', 'B', 'C'])
    assert.equal(asked, [['a', 'b', 'c']])
  })

  test('ask for a key once that several want', async () => {
    const { asked, find } = recording(10)
    const db = handle()

    const answers = await Promise.all([find(db, 'a'), find(db, 'b'), find(db, 'a')])

    assert.equal(answers, ['A', 'B', 'A'])
    assert.equal(asked, [['a', 'b']])
  })

  test('never get an answer from before they were asked', async () => {
    const { asked, find } = recording(10)
    const db = handle()

    await find(db, 'a')
    await find(db, 'a')

    assert.equal(asked, [['a'], ['a']])
  })

  test('are split where they are too many', async () => {
    const { asked, find } = recording(2)
    const db = handle()

    const answers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(key => find(db, key)))

    assert.equal(answers, ['A', 'B', 'C', 'D', 'E'])
    assert.equal(asked, [['a', 'b'], ['c', 'd'], ['e']])
  })

  test('of a transaction do not go with those of others', async () => {
    const { asked, find } = recording(10)

    await Promise.all([find(handle(), 'a'), find(handle(), 'b')])

    assert.equal(asked, [['a'], ['b']])
  })

  test('fail together, and not those after them', async () => {
    let fails = true
    const find = gathered<string>(10, async (_db, keys) => {
      if (fails) throw new Error('the connection was lost')
      return keys
    })
    const db = handle()

    const [first, second] = await Promise.all([rejection(find(db, 'a')), rejection(find(db, 'b'))])
    fails = false

    assert.is((first as Error).message, 'the connection was lost')
    assert.is((second as Error).message, 'the connection was lost')
    assert.is(await find(db, 'a'), 'a')
  })
})
