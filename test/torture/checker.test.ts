import { assert, suite } from '../harness.ts'
import { check, type Recorded } from './checker.ts'
import type { Attempt, Ledger, LogRead, StreamRead } from './ledger.ts'

/** A log of three appends: t1 and t3 to A, t2 to A and B. Each took from 10·n to 10·n + 5. */
const LOG: Recorded[] = [
  recorded(1, 'A', 1, 't1'),
  recorded(2, 'A', 2, 't2'),
  recorded(3, 'B', 1, 't2'),
  recorded(4, 'A', 3, 't3'),
]
const OKS = [1, 2, 3].map(n => attempt(`t${n}`, { invoke: 10 * n, complete: 10 * n + 5 }))

suite('the checker', test => {
  test('finds nothing in a good history', () => {
    const attempts = [
      ...OKS,
      attempt('t1', { invoke: 90, complete: 95 }), // sent again
      attempt('t4', { invoke: 12, complete: 40, result: 'conflict', stream: 'A', actual: 2 }),
      attempt('t5', { invoke: 12, complete: Infinity, result: 'unknown' }),
      attempt('t6', { invoke: 12, complete: 13, result: 'fail' }),
    ]
    const streamReads = [read('A', 1, [1, 2, 4]), read('A', 3, []), read('B', 1, [], 20)]
    streamReads[1] = read('A', 3, [], 25)
    const logReads = [logRead(0, [1, 2, 3, 4]), logRead(1, [2, 3], 25), logRead(4, [])]

    assert.equal(rules({ attempts, streamReads, logReads }), '')
    assert.equal(rules({ attempts: [] }, []), '')
  })

  test('takes an unknown append that is there for written', () => {
    const unknown = attempt('t3', { invoke: 30, complete: Infinity, result: 'unknown' })

    assert.is(rules({ attempts: [...OKS.slice(0, 2), unknown] }), '')
    assert.is(rules({ attempts: [...OKS.slice(0, 2), unknown] }, LOG.slice(0, 3)), '')
  })

  test('a: finds what was acknowledged and is lost, or is elsewhere', () => {
    assert.is(rules({ attempts: OKS }, LOG.slice(0, 3)), 'a')
    const wrong = attempt('t1', { invoke: 90, complete: 95, position: 4 })
    assert.is(rules({ attempts: [...OKS, wrong] }), 'a')
  })

  test('b: finds gaps and doubles in positions, revisions and appends', () => {
    const other = { ...LOG[3], position: 5 } as Recorded
    assert.is(rules({ attempts: OKS }, [...LOG.slice(0, 3), other]), 'a b')
    const gap = { ...LOG[3], revision: 4 } as Recorded
    assert.is(rules({ attempts: OKS }, [...LOG.slice(0, 3), gap]), 'a b')
    assert.is(rules({ attempts: OKS }, [...LOG, recorded(5, 'A', 4, 't3')]), 'b')
    const sameId = { ...recorded(5, 'B', 2, 't5'), eventId: 'id-1' }
    const t5 = attempt('t5', { invoke: 60, complete: 61, result: 'unknown' })
    assert.is(rules({ attempts: [...OKS, t5] }, [...LOG, sameId]), 'b')
  })

  test('c: finds what was refused and is there, what nobody asked for, and refusals without a cause', () => {
    for (const result of ['conflict', 'fail'] as const) {
      const refused = { ...(OKS[2] as Attempt), result, stream: 'A', actual: 3 }
      assert.is(rules({ attempts: [...OKS.slice(0, 2), refused] }), 'c')
    }
    assert.is(rules({ attempts: OKS.slice(0, 2) }), 'c')
    const groundless = attempt('t9', {
      invoke: 60,
      complete: 65,
      result: 'conflict',
      stream: 'A',
      actual: 3,
    })
    const asked = [{ stream: 'A', revision: 4, eventId: 'x' }]
    assert.is(rules({ attempts: [...OKS, { ...groundless, events: asked }] }), 'c')
  })

  test('c: finds an id called reused that only one append has', () => {
    const refused = attempt('t1', {
      invoke: 90,
      complete: 95,
      result: 'fail',
      code: 'EVENT_ID_REUSED',
    })

    assert.is(rules({ attempts: [...OKS, refused] }), 'c')
  })

  test('c: lets a failed try pass when another try of the same append is unknown', () => {
    const tries = [
      attempt('t3', { invoke: 30, complete: 31, result: 'unknown' }),
      attempt('t3', { invoke: 32, complete: 33, result: 'fail' }),
    ]
    assert.is(rules({ attempts: [...OKS.slice(0, 2), ...tries] }), '')
  })

  test('d: finds an append before one to its stream that was acknowledged before it began', () => {
    const late = attempt('t2', { invoke: 40, complete: 45 })

    assert.is(rules({ attempts: [OKS[0] as Attempt, late, OKS[2] as Attempt] }), 'd f')
    const overlapping = attempt('t2', { invoke: 34, complete: 45 })
    assert.is(rules({ attempts: [OKS[0] as Attempt, overlapping, OKS[2] as Attempt] }), '')
  })

  test('e: finds stale reads, reads of what is not there, and conflicts that are stale', () => {
    assert.is(rules({ streamReads: [read('A', 1, [1, 2], 36)] }), 'e')
    assert.is(rules({ streamReads: [read('A', 1, [1, 2], 35)] }), '')
    assert.is(rules({ streamReads: [read('A', 4, [], 36), read('A', 3, [], 36)] }), 'e')
    assert.is(rules({ streamReads: [read('A', 1, [2, 1, 4])] }), 'e')
    assert.is(rules({ streamReads: [read('B', 1, [3, 9])] }), 'e')
    assert.is(rules({ logReads: [logRead(0, [1, 2, 3], 36)] }), 'e')
    assert.is(rules({ logReads: [logRead(0, [1, 3, 2, 4])] }), 'e')
    const stale = attempt('t9', {
      invoke: 36,
      complete: 37,
      result: 'conflict',
      stream: 'A',
      actual: 2,
    })
    assert.is(rules({ attempts: [...OKS, stale] }), 'e')
  })

  test('e: finds a read that goes back behind another, though nothing was acknowledged', () => {
    const unknown = attempt('t3', { invoke: 30, complete: Infinity, result: 'unknown' })
    const attempts = [...OKS.slice(0, 2), unknown]
    const newer = { ...read('A', 1, [1, 2, 4], 50), complete: 51 }

    assert.is(rules({ attempts, streamReads: [newer, read('A', 1, [1, 2], 52)] }), 'e')
    assert.is(rules({ attempts, streamReads: [newer], logReads: [logRead(0, [1, 2, 3], 52)] }), 'e')
    assert.is(rules({ attempts, streamReads: [newer, read('A', 1, [1, 2], 51)] }), '')
  })

  test('e: finds a read of what had not yet been asked for', () => {
    const early = { ...read('A', 1, [1, 2, 4], 26), complete: 28 }

    assert.is(rules({ streamReads: [early] }), 'e f')
  })

  test('f: finds an append before one to another stream that was acknowledged before it began', () => {
    const log = [recorded(1, 'B', 1, 't8'), recorded(2, 'A', 1, 't9')]
    const attempts = [
      attempt('t9', { invoke: 10, complete: 15, position: 2, events: [log[1] as Recorded] }),
      attempt('t8', { invoke: 20, complete: 25, position: 1, events: [log[0] as Recorded] }),
    ]
    assert.is(rules({ attempts }, log), 'f')
  })

  test('g: finds appends that are there in part or in pieces, or that a reader saw in part', () => {
    const part = [LOG[0], LOG[1], { ...LOG[3], position: 3 }] as Recorded[]
    assert.is(rules({ attempts: OKS }, part), 'a g')
    const unknown = attempt('t2', { invoke: 20, complete: Infinity, result: 'unknown' })
    const others = [OKS[0] as Attempt, unknown]
    assert.is(rules({ attempts: others }, LOG.slice(0, 2)), 'g')
    const pieces = [
      LOG[0],
      LOG[1],
      { ...LOG[3], position: 3 },
      { ...LOG[2], position: 4 },
    ] as Recorded[]
    const t3 = attempt('t3', { invoke: 20, complete: 99, position: 3 })
    assert.is(rules({ attempts: [...others, t3] }, pieces), 'g')
    assert.is(rules({ logReads: [logRead(0, [1, 2], 11)] }), 'g')
    assert.is(rules({ logReads: [{ ...logRead(0, [1, 2], 11), isFull: true }] }), '')
  })

  test('checks 200,000 operations in less than 4 seconds of work', () => {
    const log = Array.from({ length: 100_000 }, (_, n) =>
      recorded(n + 1, `S${n % 50}`, Math.floor(n / 50) + 1, `t${n}`),
    )
    const attempts = log.map((event, n) =>
      attempt(event.token, { invoke: n, complete: n + 40, position: n + 1, events: [event] }),
    )
    const streamReads = log.map(({ stream, revision, eventId, position }) => ({
      stream,
      from: revision,
      ids: [eventId],
      isFull: false,
      invoke: position,
      complete: position + 30,
    }))
    const began = process.cpuUsage()

    assert.is(rules({ attempts, streamReads }, log), '')
    assert.ok(process.cpuUsage(began).user < 4_000_000)
  })
})

function recorded(position: number, stream: string, revision: number, token: string): Recorded {
  return { position, stream, revision, token, eventId: `id-${position}` }
}

/** An attempt, ok when nothing else is said, for the events that LOG has of the token, or one nobody has. */
function attempt(token: string, given: Partial<Attempt>): Attempt {
  const there = LOG.filter(event => event.token === token)
  const events = there.length > 0 ? there : [{ stream: 'A', revision: 9, eventId: `of-${token}` }]
  return {
    token,
    events,
    invoke: 0,
    complete: 0,
    result: 'ok',
    ...(there[0] && { position: there[0].position }),
    ...given,
  }
}

/** A read that shows the events with these positions; long after all others when `invoke` is not given. */
function read(stream: string, from: number, positions: number[], invoke = 200): StreamRead {
  const ids = positions.map(position => `id-${position}`)
  return { stream, from, ids, isFull: false, invoke, complete: invoke + 10 }
}

function logRead(after: number, positions: number[], invoke = 200): LogRead {
  const ids = positions.map(position => `id-${position}`)
  return { after, ids, isFull: false, invoke, complete: invoke + 10 }
}

/** The rules that are broken, each once. */
function rules(given: Partial<Ledger>, log: Recorded[] = LOG): string {
  const ledger = { attempts: OKS, streamReads: [], logReads: [], ...given }
  const broken = check(ledger, log).map(({ rule }) => rule)
  return [...new Set(broken)].sort().join(' ')
}
