import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Db } from '../../src/pg/db.ts'
import { gathered } from '../../src/pg/gathered.ts'
import { assert, rejection, suite } from '../harness.ts'
import { until } from '../support/until.ts'

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

/** Keeps what was asked together, and answers none of it before `end`. */
function recordingUntilEnded(keysMax: number) {
  const asked: string[][] = []
  let end = () => {}
  const ended = new Promise<void>(resolve => {
    end = resolve
  })
  const find = gathered(keysMax, async (_db, keys) => {
    asked.push(keys)
    await ended
    return keys
  })
  return { asked, find, end: () => end() }
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

  test('gather while two statements are under way, until one of them ends', async () => {
    const { asked, find, end } = recordingUntilEnded(10)
    const db = handle()
    const first = [find(db, 'a')]
    await nextTurn()
    first.push(find(db, 'b'))
    await nextTurn()
    const later = [find(db, 'c')]
    await nextTurn()
    later.push(find(db, 'd'), find(db, 'c'))
    await nextTurn()

    assert.equal(asked, [['a'], ['b']])
    end()
    assert.equal(await Promise.all([...first, ...later]), ['a', 'b', 'c', 'd', 'c'])
    assert.equal(asked, [['a'], ['b'], ['c', 'd']])
  })

  test('wait for no other when their statement is full, nor for one that does not end', async () => {
    const { asked, find, end } = recordingUntilEnded(2)
    const db = handle()
    const answers = []
    for (const key of ['a', 'b', 'c']) {
      answers.push(find(db, key))
      await nextTurn()
    }
    answers.push(find(db, 'd'))
    await nextTurn()

    assert.equal(asked, [['a'], ['b'], ['c', 'd']])
    answers.push(find(db, 'e'))
    await until(() => asked.length === 4)
    assert.equal(asked.at(-1), ['e'])
    end()
    assert.equal(await Promise.all(answers), ['a', 'b', 'c', 'd', 'e'])
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
