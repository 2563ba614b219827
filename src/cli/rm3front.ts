#!/usr/bin/env node
import { join } from 'node:path'
import { loadConfig, withEnvFile } from '../config.ts'
import { startManagedPostgres } from '../pg/managed/start.ts'

const config = loadConfig(withEnvFile(process.env))
const postgres = await startManagedPostgres({
  dataDir: join(config.dataFolder, 'pg'),
  mode: 'durable',
  lifetime: 'server',
  log: line => console.error(line),
})
console.log(`The database is at ${postgres.url}`)
const keepAlive = setInterval(() => {}, 60_000)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, async () => {
    await postgres.stop()
    clearInterval(keepAlive)
  })
}
