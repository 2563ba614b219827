import { assert, suite } from '../harness.ts'
import { type Bug, PLANTED, runFor } from './planted.ts'
import { TortureServer } from './server.ts'
import { type TortureReport, torture } from './torture.ts'

/** `npm run torture` is the long version. A failure is looked into with its seed: `npm run torture -- --seed N`. */
const seed = Number(process.env['RM3_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const SECONDS = 8
/** Chance decides whether an answer is lost that nobody gets later: of so many runs one has such. */
const RUNS_MAX = 6
const CONTROL_SECONDS = 1
const CONTROLS_MAX = 8
const DEADLINE_MS = 60_000
const RUNS_DEADLINE_MS = 240_000

let server: TortureServer

suite(`torture with seed ${seed}`, test => {
  test.before(async () => {
    server = await TortureServer.start()
  })
  test.after(() => server.stop())

  test(
    'loses, doubles and reorders nothing while servers, clients and connections are killed',
    async () => {
      const reports: TortureReport[] = []
      while (reports.length < RUNS_MAX && !reports.some(({ results }) => results.unknown > 0)) {
        reports.push(await run(seed + reports.length))
      }

      for (const report of reports) {
        assert.equal(report.violations.slice(0, 5), [])
        assert.is(report.faults['killed servers'], 2)
        assert.ok(report.results.ok > 50, describe(report))
        assert.ok(report.results.conflict > 0, describe(report))
      }
      assert.ok(
        reports.some(({ results }) => results.unknown > 0),
        reports.map(describe).join('\n'),
      )
    },
    RUNS_DEADLINE_MS,
  )

  for (const bug of Object.keys(PLANTED) as Bug[]) {
    test(
      `finds the planted bug "${bug}"`,
      async () => {
        const report = await untilFound(bug)

        assert.ok(report.violations.length > 0, describe(report))
      },
      DEADLINE_MS,
    )
  }
})

function run(seed: number): Promise<TortureReport> {
  return torture({
    ...{
      server,
      seed,
      seconds: SECONDS,
      processes: 3,
      writers: 8,
      readers: 1,
      streams: 50,
      hot: 5,
    },
    ...{ bug: null, serverKills: 2, faults: { kinds: 'all', everyMs: 250 } },
  })
}

/** One second is plenty, but on a machine that is busy with other things. */
async function untilFound(bug: Bug): Promise<TortureReport> {
  for (let runs = 1; ; runs++) {
    const options = { server, seed: seed + runs, seconds: CONTROL_SECONDS, serverKills: 0, bug }
    const report = await torture({ ...options, ...runFor(bug) })
    if (report.violations.length > 0 || runs === CONTROLS_MAX) return report
  }
}

function describe({ violations, ...figures }: TortureReport): string {
  return JSON.stringify(figures)
}
