import { isCron, nextCron } from '../../src/jobs/cron.ts'
import { assert, suite } from '../harness.ts'

const next = (line: string, after: string) => {
  if (!isCron(line)) throw new Error(`${line} is not understood`)
  return nextCron(line, new Date(after))?.toISOString() ?? null
}

suite('cron', test => {
  test('finds the next minute that fits, never the one it is', () => {
    assert.is(next('* * * * *', '2026-11-25T10:00:00.000Z'), '2026-11-25T10:01:00.000Z')
    assert.is(next('* * * * *', '2026-11-25T10:00:59.999Z'), '2026-11-25T10:01:00.000Z')
    assert.is(next('5 4 * * *', '2026-11-25T04:05:00.000Z'), '2026-11-26T04:05:00.000Z')
    assert.is(next('*/15 * * * *', '2026-11-25T10:46:00.000Z'), '2026-11-25T11:00:00.000Z')
    assert.is(next('0 9-17/4 * * 1-5', '2026-11-27T17:30:00.000Z'), '2026-11-30T09:00:00.000Z')
    assert.is(next('30 23 31 12 *', '2026-12-31T23:30:00.000Z'), '2027-12-31T23:30:00.000Z')
  })

  test('takes either the day or the weekday when both are said, as crontab does', () => {
    assert.is(next('0 0 13 * 5', '2026-11-25T00:00:00.000Z'), '2026-11-27T00:00:00.000Z')
    assert.is(next('0 0 13 * 5', '2026-12-12T00:00:00.000Z'), '2026-12-13T00:00:00.000Z')
    assert.is(next('0 0 */2 * 5', '2026-11-25T00:00:00.000Z'), '2026-11-27T00:00:00.000Z')
  })

  test('knows Sunday as 0 and 7, leap years, and what never comes', () => {
    const sunday = '2026-11-29T00:00:00.000Z'
    assert.is(next('0 0 * * 0', '2026-11-25T00:00:00.000Z'), sunday)
    assert.is(next('0 0 * * 7', '2026-11-25T00:00:00.000Z'), sunday)
    assert.is(next('0 0 29 2 *', '2026-11-25T00:00:00.000Z'), '2028-02-29T00:00:00.000Z')
    assert.is(next('0 0 29 2 *', '2096-03-01T00:00:00.000Z'), '2104-02-29T00:00:00.000Z')
    assert.is(next('0 0 30 2 *', '2026-11-25T00:00:00.000Z'), null)
  })

  test('refuses what is not five fields of numbers in their ranges', () => {
    const bad = [
      ...['', '* * * *', '* * * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *'],
      ...['* * * * 8', '5-1 * * * *', '*/0 * * * *', '5/2 * * * *', 'a * * * *', '@daily'],
      ...['1,,2 * * * *', '1.5 * * * *', '-1 * * * *', '* * * JAN *'],
    ]
    for (const line of bad) assert.is(isCron(line), false, line)
  })
})
