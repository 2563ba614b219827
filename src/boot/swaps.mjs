/** `npm run swaps -- [--swaps N]`: rebuilds all projections under three writing processes, and looks that nothing is lost or fails. */
import { say } from './fail.mjs'
import { prepare } from './prepare.mjs'

prepare({ withDev: true })
const { startDatabase } = await import('./test-database.mjs')
const database = await startDatabase()
process.env.RM3_TEST_PG = database.url
try {
  const { runSwaps } = await import('../../dist/test/projector/swap-long.js')
  await runSwaps(process.argv.slice(2), say)
} finally {
  await database.stop()
}
