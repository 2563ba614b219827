import { nextTime, parseEvery } from '../../src/jobs/cron.ts'
import { defineWorker, type Schedule } from '../../src/jobs/define.ts'
import { firstDue, nextDue, triggerOf } from '../../src/jobs/schedule.ts'
import { assert, suite } from '../harness.ts'

const worker = (schedule: Schedule) =>
  defineWorker({ name: 'w', schedule, run: async () => undefined })
const NOON = '2026-11-25T12:00:00.000Z'

suite('the schedule of a worker', test => {
  test('every so often: in that time, then from when it was due', () => {
    const hourly = worker({ every: '1h' })

    assert.is(firstDue(hourly, NOON), '2026-11-25T13:00:00.000Z')
    assert.is(nextDue(hourly, '2026-11-25T11:30:00.000Z', NOON), '2026-11-25T12:30:00.000Z')
  })

  test('makes up for any number of missed runs by one', () => {
    const missed = '2026-11-20T11:00:00.000Z'

    assert.is(nextDue(worker({ every: '1h' }), missed, NOON), '2026-11-25T13:00:00.000Z')
    assert.is(nextDue(worker({ cron: '0 * * * *' }), missed, NOON), '2026-11-25T13:00:00.000Z')
  })

  test('at a date: then and never again, also when it has passed', () => {
    const once = worker({ at: '2026-11-01T00:00:00+01:00' })

    assert.is(firstDue(once, NOON), '2026-10-31T23:00:00.000Z')
    assert.is(nextDue(once, '2026-10-31T23:00:00.000Z', NOON), null)
  })

  test('by the tables of the site or by events: at no time that a row would say', () => {
    const asked = worker({ at: async () => NOON })
    const subscription = { on: ['PageCreated', 'PageRevised'] } as const
    const told = defineWorker({ name: 'w', subscription, run: async () => {} })

    assert.equal([firstDue(asked, NOON), firstDue(told, NOON)], [null, null])
    assert.equal([nextDue(asked, null, NOON), nextDue(told, null, NOON)], [null, null])
    assert.is(triggerOf(asked), 'as scheduled')
    assert.is(triggerOf(told), 'on PageCreated, PageRevised')
  })

  test('understands seconds to days and nothing else', () => {
    const good = ['90s', '15m', '6h', '7d'].map(parseEvery)

    assert.equal(good, [90_000, 900_000, 21_600_000, 604_800_000])
    for (const bad of ['', '0m', '1.5h', '-1s', '1w', '5', 'm', '1h ', '1234567s']) {
      assert.is(parseEvery(bad), null, bad)
    }
  })

  test('what was done is due again after a span, or at the next time of a crontab', () => {
    const done = new Date(NOON)

    assert.is(nextTime('6h', done)?.toISOString(), '2026-11-25T18:00:00.000Z')
    assert.is(nextTime('15 3 * * *', done)?.toISOString(), '2026-11-26T03:15:00.000Z')
    assert.is(nextTime('sometimes', done), null)
  })
})
