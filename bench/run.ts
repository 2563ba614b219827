import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { type Bench, figure } from './harness.ts'

/** Runs the benchmarks whose names begin with the arguments (all without), each in a database of its own. */
const args = process.argv.slice(2)
const json = args.includes('--json')
const wanted = args.filter(arg => !arg.startsWith('--'))
const names = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith('.bench.js'))
  .map(file => file.slice(0, -'.bench.js'.length))
  .filter(name => wanted.length === 0 || wanted.includes(name))

const server = process.env['RM3_BENCH_PG'] ?? ''
for (const name of names) {
  const url = await freshDatabase(`bench_${name.replaceAll('-', '_')}`)
  const { default: run } = (await import(join(import.meta.dirname, `${name}.bench.js`))) as {
    default: (bench: Bench) => Promise<void>
  }
  await run({
    url,
    report: measured => {
      const it = figure(name, measured)
      if (json) console.log(JSON.stringify(it))
      else
        console.log(
          `${it.ok ? 'ok    ' : 'SHORT '} ${name}, ${it.case}: ${it.value} ${it.unit}${it.limit === null ? '' : `, ${it.limitName} ${it.limit}, ratio ${it.ratio}`} (must be ${it.must})`,
        )
    },
    say: text => console.error(`       ${name}: ${text}`),
  })
}

async function freshDatabase(database: string): Promise<string> {
  const client = new pg.Client(server)
  await client.connect()
  await client.query(`drop database if exists ${database} with (force)`)
  await client.query(`create database ${database}`)
  await client.end()
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}
