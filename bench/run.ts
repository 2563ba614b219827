import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startManagedPostgres } from '../src/pg/managed/start.ts'
import { type Bench, type Figure, figure } from './harness.ts'

/**
 * `npm run bench [-- NAME …] [-- --json]`: runs the benchmarks of these names, or all, each in a database of its own on a PostgreSQL that keeps
 * its promises. Prints a line a figure; with `--json` a JSON object a figure.
 */
const args = process.argv.slice(2)
const json = args.includes('--json')
const wanted = args.filter(arg => !arg.startsWith('--'))
const known = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith('.bench.js'))
  .map(file => file.slice(0, -'.bench.js'.length))
const unknown = wanted.filter(name => !known.includes(name))

if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}.`)
  process.exitCode = 2
} else {
  await runAll(wanted.length === 0 ? known : wanted)
}

async function runAll(names: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rm3-bench-'))
  // where the account of PostgreSQL may not enter, the data would go elsewhere and stay there
  chmodSync(folder, 0o755)
  const server = await startManagedPostgres({
    dataDir: join(folder, 'pg'),
    mode: 'durable',
    log: line => console.error(line),
  })
  try {
    for (const name of names) await run(name, await freshDatabase(server.url, name))
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(name: string, url: string): Promise<void> {
  const file = join(import.meta.dirname, `${name}.bench.js`)
  const module = (await import(file)) as { default: (bench: Bench) => Promise<void> }
  await module.default({
    url,
    report: measured => print(figure(name, measured)),
    say: text => console.error(`       ${name}: ${text}`),
  })
}

function print(it: Figure): void {
  if (json) {
    console.log(JSON.stringify(it))
    return
  }
  const against = it.limit === null ? '' : `; ${it.limitName} ${it.limit}: ratio ${it.ratio}`
  const { ok, name, value, unit, must } = it
  console.log(
    `${ok ? 'ok   ' : 'SHORT'} ${name}, ${it.case}: ${value} ${unit}${against} (must be ${must})`,
  )
}

async function freshDatabase(server: string, name: string): Promise<string> {
  const database = `bench_${name.replaceAll('-', '_')}`
  const client = new pg.Client(server)
  await client.connect()
  await client.query(`create database ${database}`)
  await client.end()
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}
