/**
 * A process that uses the managed PostgreSQL in a folder until its standard input ends: node hold-postgres.js FOLDER LIFETIME.
 * Prints one line of JSON when it has it.
 */
import { startManagedPostgres } from '../../src/pg/managed/start.ts'

const [, , dataDir = '', lifetime] = process.argv
const postgres = await startManagedPostgres({
  dataDir,
  mode: 'durable',
  lifetime: lifetime === 'server' ? 'server' : 'command',
  log: line => console.error(line),
})
console.log(JSON.stringify({ url: postgres.url, adopted: postgres.adopted }))
for await (const _ of process.stdin) {
  // until its end
}
await postgres.stop()
