import { Rm3Error } from '../../src/errors.ts'
import type { Appended } from '../../src/log/append.ts'
import { AppendWatch } from '../../src/log/append-watch.ts'
import type { AppendRequest } from '../../src/log/batch.ts'
import { assert, rejection, suite } from '../harness.ts'

const REQUEST: AppendRequest = { entries: [], rows: [], versions: '', paths: [], rights: false }
const DONE: Appended = { position: 1, recordedAt: '2026-01-01T00:00:00.000Z', repeated: false }
const LOST = new Rm3Error('UNAVAILABLE', 'lost')

suite('the watch over appends', test => {
  test('tells of each outcome with its time, and of what waits', async () => {
    const watch = new AppendWatch()
    const seen: string[] = []
    const end = watch.observe({
      sent: size => seen.push(`sent ${size}`),
      answered: (outcome, seconds) => seen.push(`${outcome} ${seconds < 1}`),
    })
    const waiting = answering(watch, Promise.resolve(DONE))
    assert.is(watch.waiting, 1)
    await waiting
    await answering(watch, Promise.resolve({ ...DONE, repeated: true }))
    await rejection(answering(watch, Promise.reject(new Rm3Error('DISK_FULL', 'full'))))
    await rejection(answering(watch, Promise.reject(new Error('a bug'))))
    watch.sent(3)
    end()
    watch.sent(4)

    assert.equal(seen, ['done true', 'repeated true', 'DISK_FULL true', 'ERROR true', 'sent 3'])
    assert.is(watch.waiting, 0)
  })

  test('sees trouble where the log is not reached, until an append gets through', async () => {
    const watch = new AppendWatch()
    assert.is(watch.trouble, null)
    await rejection(answering(watch, Promise.reject(LOST)))
    assert.is(watch.trouble, 'writes do not reach the log')
    await rejection(answering(watch, Promise.reject(new Rm3Error('LOG_BUSY', 'busy'))))
    assert.is(watch.trouble, 'writes do not reach the log')
    await answering(watch, Promise.resolve(DONE))
    assert.is(watch.trouble, null)
  })

  test('sees none where the writes of all processes stand still', async () => {
    const watch = new AppendWatch()
    for (const code of ['DISK_FULL', 'LOG_BUSY', 'TIMEOUT'] as const) {
      await rejection(answering(watch, Promise.reject(new Rm3Error(code, code))))
    }

    assert.is(watch.trouble, null)
  })

  test('sees trouble where the queue is full', async () => {
    const watch = new AppendWatch()
    let answer = (_: Appended) => {}
    const held = new Promise<Appended>(resolve => {
      answer = resolve
    })
    const waiting = Array.from({ length: 2_000 }, () => answering(watch, held))
    assert.is(watch.trouble, '2000 writes are waiting')
    answer(DONE)
    await Promise.all(waiting)

    assert.is(watch.trouble, null)
  })
})

function answering(watch: AppendWatch, answer: Promise<Appended>): Promise<Appended> {
  return watch.over({ append: () => answer }).append(REQUEST)
}
