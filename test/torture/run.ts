import { parseArgs } from 'node:util'
import type { Bug } from './planted.ts'
import { PLANTED } from './planted.ts'
import { TortureServer } from './server.ts'
import { type TortureReport, torture } from './torture.ts'

/**
 * `npm run torture -- [--seed N] [--seconds S] [--clients N] [--writers N]`: the long proof. Ends with 1 when the log broke a rule, or
 * a planted bug was not found.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    seconds: { type: 'string', default: '240' },
    clients: { type: 'string', default: '3' },
    writers: { type: 'string', default: '12' },
  },
})
const seed = Number(values.seed)
const seconds = Number(values.seconds)
const SERVER_KILL_EVERY_S = 8
const CONTROL_SECONDS = 4
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
    clients: Number(values.clients),
    writers: Number(values.writers),
    bug: null,
    serverKills: Math.floor(seconds / SERVER_KILL_EVERY_S),
    faultEveryMs: 250,
    log: line => console.error(line),
  })
  show('the log of rm3', report)
  isGood = report.violations.length === 0
  const controls = [...(Object.keys(PLANTED) as Bug[]), 'asynchronous commit'] as const
  for (const [index, control] of controls.entries()) {
    const isAsynchronous = control === 'asynchronous commit'
    const planted = await torture({
      server,
      seed: seed + index + 1,
      seconds: CONTROL_SECONDS,
      clients: 3,
      writers: 6,
      bug: isAsynchronous ? null : control,
      serverKills: isAsynchronous ? 1 : 0,
      faultEveryMs: isAsynchronous ? null : 100,
      asynchronousCommit: isAsynchronous,
    })
    show(`planted: ${control}`, planted)
    if (planted.violations.length === 0) isGood = false
  }
} finally {
  await server.stop()
}
console.log(isGood ? 'good' : 'BROKEN')
process.exit(isGood ? 0 : 1)

function show(title: string, { violations, ...figures }: TortureReport): void {
  const byRule: Record<string, number> = {}
  for (const { rule } of violations) byRule[rule] = (byRule[rule] ?? 0) + 1
  console.log(`${title}: ${violations.length} violations ${JSON.stringify(byRule)}`)
  console.log(`  ${JSON.stringify(figures)}`)
  if (title.startsWith('planted')) return
  for (const { rule, text } of violations.slice(0, SHOWN_MAX)) console.log(`  ${rule}: ${text}`)
}
