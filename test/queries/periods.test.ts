import { isTimeZone } from '../../src/content/time-zone.ts'
import { parsePeriod } from '../../src/queries/periods.ts'
import { assert, suite } from '../harness.ts'

const NOW = '2024-03-05T22:30:00.000Z'
const period = (text: string, zone = 'UTC') => {
  const found = parsePeriod(text, zone, NOW)
  return found && [found.from, found.until]
}

suite('periods', test => {
  test('are years, months and days, and what people call days', () => {
    assert.equal(period('2024'), ['2024-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'])
    assert.equal(period('2023-12'), ['2023-12-01T00:00:00.000Z', '2024-01-01T00:00:00.000Z'])
    assert.equal(period('2024-02-29'), ['2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'])
    assert.equal(period('today'), ['2024-03-05T00:00:00.000Z', '2024-03-06T00:00:00.000Z'])
    assert.equal(period('yesterday'), ['2024-03-04T00:00:00.000Z', '2024-03-05T00:00:00.000Z'])
    assert.equal(period('1900'), ['1900-01-01T00:00:00.000Z', '1901-01-01T00:00:00.000Z'])
  })

  test('begin and end where they do in the time zone', () => {
    const berlin = (text: string) => period(text, 'Europe/Berlin')

    assert.equal(
      berlin('today'),
      ['2024-03-05T23:00:00.000Z', '2024-03-06T23:00:00.000Z'].map(back),
    )
    assert.equal(berlin('2024-03-31'), ['2024-03-30T23:00:00.000Z', '2024-03-31T22:00:00.000Z'])
    assert.equal(berlin('2024'), ['2023-12-31T23:00:00.000Z', '2024-12-31T23:00:00.000Z'])
    assert.equal(period('today', 'Asia/Tokyo'), [
      '2024-03-05T15:00:00.000Z',
      '2024-03-06T15:00:00.000Z',
    ])
    // clocks leapt over midnight
    assert.equal(period('2018-11-04', 'America/Sao_Paulo'), [
      '2018-11-04T03:00:00.000Z',
      '2018-11-05T02:00:00.000Z',
    ])
  })

  test('that are none are null', () => {
    for (const text of [
      ...[
        '',
        'now',
        '24',
        '2024-13',
        '2024-00',
        '2024-1',
        '2024-02-30',
        '2023-02-29',
        '2024-03-05T',
      ],
      ...['tomorrow', '0000', '1899', '12024', '2024-03-', 'Today', '２０２４'],
    ]) {
      assert.is(parsePeriod(text, 'UTC', NOW), null, text)
    }
  })

  test('need a time zone that there is', () => {
    assert.equal(['UTC', 'Europe/Berlin', 'Europe/Nowhere', '', 'x'.repeat(100)].map(isTimeZone), [
      true,
      true,
      false,
      false,
      false,
    ])
  })
})

/** In Berlin it is the 5th until 23:00 UTC. */
function back(instant: string): string {
  return new Date(Date.parse(instant) - 86_400_000).toISOString()
}
