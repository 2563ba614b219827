import { join } from 'node:path'
import pg from 'pg'
import type { Bench } from './harness.ts'
import { fillSite } from './support/filled-site.ts'
import { inFolder } from './support/folder-backup.ts'
import { inProcess } from './support/measured-process.ts'
import { timed } from './support/pg-tools.ts'

/**
 * Question: how fast is an archive loaded into an empty site, to the end: read, written, read back and proved, folded, all projections built and
 * every row of them proved to be there? Held against pg_restore of a dump of the same schema, which has the rows of projections ready.
 */
const EVENTS = 200_000
const ENTITIES = 20_000
const MEGABYTE = 1024 * 1024

export default function load(bench: Bench): Promise<void> {
  return inFolder(folder => measure(bench, folder))
}

async function measure(bench: Bench, folder: string): Promise<void> {
  const database = { url: bench.url, site: 'bench' }
  const [archive, dump] = [join(folder, 'site.rm3'), join(folder, 'site.dump')]
  const events = await fillSite(database, { events: EVENTS, entities: ENTITIES })
  await inProcess({ work: 'backup', ...database, file: archive })
  const loaded = await inProcess({ work: 'load', ...database, site: 'loaded', file: archive })
  bench.say(loaded.steps.join(', '))
  bench.report({
    ...{ case: `${events} events`, value: events / loaded.seconds, unit: 'events/s' },
    must: '>= 40000',
  })
  await timed('pg_dump', ['-Fc', '-n', 'bench', '-f', dump, bench.url], bench.say)
  const url = await emptyDatabase(bench.url)
  const restored = await timed('pg_restore', ['--no-owner', '-d', url, dump], bench.say)
  if (restored !== null) {
    bench.report({
      ...{
        case: 'time',
        value: loaded.seconds,
        unit: 's',
        limit: restored,
        limitName: 's of pg_restore',
      },
      must: '<= 2',
    })
  }
  const megabytes = loaded.peakBytes / MEGABYTE
  bench.report({ case: 'memory', value: megabytes, unit: 'MB', must: '<= 256' })
}

async function emptyDatabase(url: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('create database bench_restored')
  await client.end()
  const restored = new URL(url)
  restored.pathname = '/bench_restored'
  return restored.href
}
