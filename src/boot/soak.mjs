/** `npm run soak -- [--minutes N]`: writers, readers, rebuilds and checks at once; no row may be wrong, no request fail. */
import { say } from './fail.mjs'
import { prepare } from './prepare.mjs'

prepare({ withDev: true })
const { startDatabase } = await import('./test-database.mjs')
const database = await startDatabase()
process.env.RM3_TEST_PG = database.url
try {
  const { runSoak } = await import('../../dist/test/projector/soak-long.js')
  await runSoak(process.argv.slice(2), say)
} finally {
  await database.stop()
}
