/**
 * `npm test [-- NAME…]`: makes ready what is missing, brings up one throw-away PostgreSQL and runs each test file in a process of its own.
 *
 * A file that crashes, hangs, tests nothing or does not say `N passed, N failed` counts as one failure.
 * NAME picks the files whose path contains it. `--pure` leaves out those that need PostgreSQL or a browser, `--cover` reports
 * coverage and holds it against the gate of .c8rc.json; with CI set that is so without asking, and `.only` is refused.
 * TEST_JOBS (2) files run at once. The last line is `N passed, N failed`, whatever happened.
 */
import { checkCoverage, collectCoverage } from './coverage.mjs'
import { say } from './fail.mjs'
import { prepare } from './prepare.mjs'
import { chooseFiles, rememberDurations } from './test-files.mjs'

const JOBS = Math.max(1, Number(process.env.TEST_JOBS) || 2)
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 }

const words = process.argv.slice(2)
const isPure = words.includes('--pure')
const names = words.filter(word => !word.startsWith('--'))
const isWhole = names.length === 0 && !isPure
const covers = words.includes('--cover') || (Boolean(process.env.CI) && isWhole)

prepare({ withDev: true })
// These use what was only now built.
const { runFile, stopFiles } = await import('./test-process.mjs')
const { startDatabase } = await import('./test-database.mjs')

const files = chooseFiles(names, isPure)
const total = { passed: 0, failed: files.length === 0 ? 1 : 0, skipped: 0 }
if (files.length === 0) say(`No test file is named like ${names.join(' or ')}.`)

const environment = testEnvironment()
if (covers) collectCoverage(environment)
const database = files.some(needsDatabase) ? await startDatabase() : null
if (database) environment.RM3_TEST_PG = database.url
for (const signal of Object.keys(EXIT_CODES)) {
  process.once(signal, async () => {
    stopFiles()
    await database?.stop()
    process.exit(EXIT_CODES[signal])
  })
}

await runAll(files)
await database?.stop()
if (covers && !checkCoverage()) total.failed++
if (total.skipped > 0) console.log(`${total.skipped} skipped`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed > 0 ? 1 : 0)

async function runAll(queue) {
  const durations = {}
  const waiting = [...queue]
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runFile(file, environment)
      durations[file] = result.ms
      report(file, result)
    }
  }
  await Promise.all(Array.from({ length: JOBS }, worker))
  rememberDurations(durations)
}

function report(file, { passed, failed, skips, ms, output, trouble }) {
  total.passed += passed
  total.failed += failed
  total.skipped += skips.length
  const seconds = (ms / 1000).toFixed(1)
  console.log(
    `${failed ? 'FAIL' : 'ok  '} ${file}: ${passed} passed, ${failed} failed in ${seconds} s`,
  )
  for (const line of skips) console.log(`     ${line}`)
  if (failed > 0) console.log(output.trimEnd())
  if (trouble) console.log(`     ${file}: ${trouble}`)
}

function needsDatabase(file) {
  return /\.(db|e2e)\.test\.js$/.test(file)
}

/** The environment without settings of rm3: tests begin with none. */
function testEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !/^RM3_(?!TEST_)/.test(name))
  return { ...Object.fromEntries(kept), NO_COLOR: '1' }
}
