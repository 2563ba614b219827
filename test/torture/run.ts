import { parseArgs } from 'node:util'
import { type Bug, PLANTED, runFor } from './planted.ts'
import { TortureServer } from './server.ts'
import { type TortureReport, torture } from './torture.ts'

/**
 * `npm run torture -- [--seed N] [--seconds S] [--processes N] [--writers N]`: the long proof. Ends with 1 when the log broke a rule, or
 * a planted bug was not found.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    seconds: { type: 'string', default: '240' },
    processes: { type: 'string', default: '3' },
    writers: { type: 'string', default: '12' },
  },
})
const seed = Number(values.seed)
const seconds = Number(values.seconds)
const SERVER_KILL_EVERY_S = 8
const FAULT_EVERY_MS = 250
const CONTROL_SECONDS = 2
const SHOWN_MAX = 20

console.log(`seed ${seed}, ${seconds} s`)
const server = await TortureServer.start()
process.once('SIGINT', () => void server.stop().then(() => process.exit(130)))
let isGood = true
try {
  const report = await torture({
    server,
    seed,
    seconds,
    processes: Number(values.processes),
    writers: Number(values.writers),
    readers: 2,
    streams: 50,
    hot: 5,
    bug: null,
    serverKills: Math.floor(seconds / SERVER_KILL_EVERY_S),
    faults: { kinds: 'all', everyMs: FAULT_EVERY_MS },
    log: line => console.error(line),
  })
  show('the log of rm3', report)
  isGood = report.violations.length === 0
  const control = { server, seed: seed + 1, seconds: CONTROL_SECONDS, serverKills: 0 }
  for (const bug of Object.keys(PLANTED) as Bug[]) {
    showControl(bug, await torture({ ...control, ...runFor(bug), bug }))
  }
  const asynchronous = { ...control, ...runFor('stale read cache'), serverKills: 1, bug: null }
  showControl(
    'synchronous_commit = off',
    await torture({ ...asynchronous, asynchronousCommit: true }),
  )
} finally {
  await server.stop()
}
console.log(isGood ? 'good' : 'BROKEN')
process.exit(isGood ? 0 : 1)

function show(title: string, { violations, ...figures }: TortureReport): void {
  console.log(`${title}: ${violations.length} violations`)
  console.log(`  ${JSON.stringify(figures)}`)
  for (const { rule, text } of violations.slice(0, SHOWN_MAX)) console.log(`  ${rule}: ${text}`)
}

function showControl(title: string, { violations, operations }: TortureReport): void {
  const rules = [...new Set(violations.map(({ rule }) => rule))].sort().join(' ')
  console.log(
    `planted: ${title}: ${violations.length} violations of ${rules} in ${operations} operations`,
  )
  if (violations.length === 0) isGood = false
}
