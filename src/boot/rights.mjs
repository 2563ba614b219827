/** `npm run rights -- [HISTORIES]`: the test of rights on the past with more histories than `npm test` has time for. */
import { prepare } from './prepare.mjs'

prepare({ withDev: true })
const { startDatabase } = await import('./test-database.mjs')
const database = await startDatabase()
process.env.RM3_TEST_PG = database.url
process.env.RM3_TEST_HISTORIES = process.argv[2] ?? '10000'
process.once('beforeExit', () => void database.stop())
await import('../../dist/test/http/as-of-rights.db.test.js')
