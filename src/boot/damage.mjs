/** `npm run damage -- [--runs N] [--seed N]`: damages projections at random, and looks that each damage is found and repaired. */
import { say } from './fail.mjs'
import { prepare } from './prepare.mjs'

prepare({ withDev: true })
const { startDatabase } = await import('./test-database.mjs')
const database = await startDatabase()
process.env.RM3_TEST_PG = database.url
try {
  const { runDamage } = await import('../../dist/test/projector/damage-long.js')
  await runDamage(process.argv.slice(2), say)
} finally {
  await database.stop()
}
