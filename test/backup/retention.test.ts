import fc from 'fast-check'
import { decideRetention, type KeepableBackup } from '../../src/backup/retention.ts'
import { isEmptyPolicy, NO_POLICY, type Policy } from '../../src/content/keep-policy.ts'
import { assert, suite } from '../harness.ts'

/** How many sets of backups, policies and times: `RM3_TEST_POLICIES=10000`. */
const RUNS = Number(process.env['RM3_TEST_POLICIES'] ?? 3_000)
const NOW = '2030-01-01T00:00:00.000Z'
const DAY_MS = 86_400_000

const backup = (at: string, more: Partial<KeepableBackup> = {}): KeepableBackup => ({
  ...{ name: at, at, set: 'site', parents: [] },
  ...more,
})
const kept = (backups: readonly KeepableBackup[], policy: Partial<Policy>, now = NOW): string[] =>
  decideRetention(backups, { ...NO_POLICY, ...policy }, now)
    .filter(({ keep }) => keep)
    .map(({ name }) => name)
const days = (from: string, count: number, step = 1) =>
  Array.from({ length: count }, (_, n) =>
    backup(new Date(Date.parse(from) + n * step * DAY_MS).toISOString()),
  )

/**
 * The rules once more, written as what they mean: a rule keeps the newest of each of the newest `count` periods that have a backup, and the
 * oldest backup when fewer periods than that have one.
 */
function keptByModel(backups: readonly KeepableBackup[], policy: Policy, now: string): Set<string> {
  const periodOf: Record<keyof Policy, (at: Date, name: string) => string> = {
    last: (_, name) => name,
    hourly: at =>
      `${at.getUTCFullYear()} ${at.getUTCMonth()} ${at.getUTCDate()} ${at.getUTCHours()}`,
    daily: at => `${at.getUTCFullYear()} ${at.getUTCMonth()} ${at.getUTCDate()}`,
    weekly: at => {
      const monday = new Date(at)
      monday.setUTCHours(0, 0, 0, 0)
      while (monday.getUTCDay() !== 1) monday.setTime(monday.getTime() - DAY_MS)
      return monday.toISOString()
    },
    monthly: at => `${at.getUTCFullYear()} ${at.getUTCMonth()}`,
    yearly: at => `${at.getUTCFullYear()}`,
  }
  const result = new Set<string>()
  for (const set of new Set(backups.map(it => it.set))) {
    const own = backups.filter(it => it.set === set)
    for (const it of own) if (it.at > now) result.add(it.name)
    const past = own
      .filter(it => it.at <= now)
      .sort((a, b) => (a.at + a.name < b.at + b.name ? 1 : -1))
    if (past[0]) result.add(past[0].name)
    for (const rule of Object.keys(periodOf) as (keyof Policy)[]) {
      const newest = new Map<string, string>()
      for (const { at, name } of past) {
        const period = periodOf[rule](new Date(at), name)
        if (!newest.has(period)) newest.set(period, name)
      }
      const names = [...newest.values()].slice(0, policy[rule])
      for (const name of names) result.add(name)
      const oldest = past.at(-1)
      if (oldest && policy[rule] > newest.size) result.add(oldest.name)
    }
  }
  return result
}

suite('retention', test => {
  test('counts only periods that have a backup: of twelve Sundays, four daily ones are the last four', () => {
    const sundays = days('2029-09-02T11:00:00.000Z', 12, 7)

    assert.equal(
      kept(sundays, { daily: 4 }),
      sundays
        .slice(-4)
        .reverse()
        .map(({ name }) => name),
    )
  })

  test('of a hundred years of days keeps 7 days, the weeks, months and years behind them', () => {
    const all = days('1930-01-01T12:00:00.000Z', 36_524)
    const policy = { daily: 7, weekly: 5, monthly: 12, yearly: 75 }
    const decisions = decideRetention(all, { ...NO_POLICY, ...policy }, NOW)
    const count = (rule: string) => decisions.filter(({ reasons }) => reasons.includes(rule)).length

    assert.equal(
      [count('daily'), count('weekly'), count('monthly'), count('yearly')],
      [7, 5, 12, 75],
    )
    const names = kept(all, policy)
    assert.equal(
      names.slice(0, 7),
      all
        .slice(-7)
        .reverse()
        .map(({ name }) => name),
    )
    const isLastOfMonth = (at: string) =>
      new Date(Date.parse(at) + DAY_MS).getUTCMonth() !== new Date(at).getUTCMonth()
    const isSunday = (at: string) => new Date(at).getUTCDay() === 0
    assert.ok(names.slice(7).every(at => isLastOfMonth(at) || isSunday(at)))
    assert.ok(names.length >= 7 + 4 + 11 + 74 - 1 && names.length <= 7 + 4 + 12 + 75)
  })

  test('keeps the oldest too while a rule has counts left', () => {
    const three = days('2029-06-04T01:00:00.000Z', 3)

    assert.equal(kept(three, { yearly: 3 }), [three[2]?.name, three[0]?.name])
    assert.equal(kept(three, { yearly: 1 }), [three[2]?.name])
  })

  test('takes weeks from Monday, also where a year begins within one', () => {
    const turn = days('2024-12-29T10:00:00.000Z', 4) // Sunday to Wednesday, the first of January

    assert.equal(kept(turn, { weekly: 2 }), [
      '2025-01-01T10:00:00.000Z',
      '2024-12-29T10:00:00.000Z',
    ])
  })

  test('keeps what says that it is from the future, and counts it for nothing', () => {
    const all = [
      backup('2031-01-01T00:00:00.000Z'),
      backup('2029-12-31T00:00:00.000Z'),
      backup('2029-12-30T00:00:00.000Z'),
    ]

    assert.equal(kept(all, { last: 1 }), ['2031-01-01T00:00:00.000Z', '2029-12-31T00:00:00.000Z'])
  })

  test('keeps what a kept one stands on, and only as much as is needed', () => {
    const full = backup('2029-01-01T00:00:00.000Z')
    const other = backup('2029-01-02T00:00:00.000Z')
    const first = backup('2029-02-01T00:00:00.000Z', { parents: [full.name, other.name] })
    const second = backup('2029-03-01T00:00:00.000Z', { parents: [first.name] })

    assert.equal(kept([full, other, first, second], { last: 1 }), [
      second.name,
      first.name,
      full.name,
    ])
    assert.equal(kept([full, other, first, second], { last: 3 }), [
      second.name,
      first.name,
      other.name,
    ])
  })

  test('counts each set for itself', () => {
    const [one, two] = [
      backup('2029-01-01T00:00:00.000Z'),
      backup('2029-01-02T00:00:00.000Z', { set: 'other' }),
    ]

    assert.equal(kept([one, two], { last: 1 }).sort(), [one.name, two.name])
  })

  test('is the same wherever the machine is, also where clocks are put forward and back', () => {
    const hours = (from: string) =>
      Array.from({ length: 200 }, (_, n) =>
        backup(new Date(Date.parse(from) + n * 1_800_000).toISOString()),
      )
    const all = ['2029-03-24T12:00:00Z', '2029-10-27T12:00:00Z', '2029-12-30T12:00:00Z'].flatMap(
      hours,
    )
    const policy = { hourly: 48, daily: 9, weekly: 3, monthly: 4, yearly: 2 }
    const zone = process.env['TZ']
    try {
      const results = ['UTC', 'Europe/Berlin', 'Pacific/Kiritimati', 'America/St_Johns'].map(
        name => {
          process.env['TZ'] = name
          return {
            offset: new Date(all[0]?.at ?? '').getTimezoneOffset(),
            names: kept(all, policy),
          }
        },
      )

      assert.is(new Set(results.map(({ offset }) => offset)).size, 4)
      for (const { names } of results) assert.equal(names, results[0]?.names)
    } finally {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    }
  })

  test('loses nothing to a clock that is two days ahead or behind for a while', () => {
    const daily = days('2029-06-01T03:00:00.000Z', 30)
    const policy = { daily: 7 }
    const jumped = new Date(Date.parse(daily.at(-1)?.at ?? '') + 2 * DAY_MS).toISOString()
    const ahead = kept(daily, policy, jumped)
    const behind = kept(daily, policy, daily.at(-3)?.at)

    // ahead of time, the same go as always: periods without a backup do not count
    assert.equal(ahead, kept(daily, policy, daily.at(-1)?.at))
    // behind it, two are of the future, and stay beside the seven before
    assert.equal(
      behind,
      daily
        .slice(-9)
        .reverse()
        .map(({ name }) => name),
    )
    // one that was made while the clock was ahead keeps none from being kept once it is right again
    const future = backup(jumped)
    assert.equal(kept([...daily, future], policy, daily.at(-1)?.at), [jumped, ...ahead])
  })

  test('knows an empty policy', () => {
    assert.ok(isEmptyPolicy(NO_POLICY))
    assert.ok(isEmptyPolicy({ ...NO_POLICY, last: Number.NaN }))
    assert.not.ok(isEmptyPolicy({ ...NO_POLICY, yearly: Number.POSITIVE_INFINITY }))
  })

  test('is what the rules mean, for any backups, policy and time', () => {
    const instant = fc
      .integer({ min: Date.parse('2026-12-20T00:00:00Z'), max: Date.parse('2030-01-10T00:00:00Z') })
      .map(time => new Date(time - (time % 1_800_000)).toISOString())
    const count = fc.oneof(fc.constant(0), fc.nat(8), fc.constant(Number.POSITIVE_INFINITY))
    const policy = fc
      .record({
        last: count,
        hourly: count,
        daily: count,
        weekly: count,
        monthly: count,
        yearly: count,
      })
      .filter(it => !isEmptyPolicy(it))
    const backups = fc
      .array(fc.tuple(instant, fc.constantFrom('a', 'b'), fc.nat(3)), { maxLength: 40 })
      .map(list =>
        list.map(([at, set, ref], n) =>
          backup(at, {
            name: `${at} ${String(n).padStart(2, '0')}`,
            set,
            parents:
              n > ref && ref > 0
                ? [`${list[n - ref]?.[0]} ${String(n - ref).padStart(2, '0')}`]
                : [],
          }),
        ),
      )
    fc.assert(
      fc.property(backups, policy, instant, (list, rules, now) => {
        const decisions = decideRetention(list, rules, now)
        const names = new Set(decisions.filter(({ keep }) => keep).map(({ name }) => name))
        const meant = keptByModel(list, rules, now)
        for (const name of meant) assert.ok(names.has(name), `${name} must stay`)
        for (const { name, parents } of list) {
          if (names.has(name) && parents.length > 0) assert.ok(parents.some(it => names.has(it)))
        }
        const needed = decisions.filter(
          ({ reasons }) => reasons.length === 1 && /^needed/.test(reasons[0] ?? ''),
        )
        assert.is(names.size, meant.size + needed.length)
        assert.is(decisions.length, list.length)
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})
