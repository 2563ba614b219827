import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from './harness.ts'
import { fillSite } from './support/filled-site.ts'
import { inFolder } from './support/folder-backup.ts'
import { inProcess } from './support/measured-process.ts'
import { timed } from './support/pg-tools.ts'

/**
 * Question: how fast is the log of a site written as an archive, proved on the way, and how fast is the archive verified? Held against pg_dump
 * of the same schema, which has the rows of all projections to write too. In processes of their own, whose memory is measured.
 */
const EVENTS = 200_000
const ENTITIES = 20_000
const ROUNDS = 2
const MEGABYTE = 1024 * 1024

export default function backupArchive(bench: Bench): Promise<void> {
  return inFolder(folder => measure(bench, folder))
}

async function measure(bench: Bench, folder: string): Promise<void> {
  const database = { url: bench.url, site: 'bench' }
  const events = await fillSite(database, { events: EVENTS, entities: ENTITIES })
  const backups = []
  const dumps: (number | null)[] = []
  for (let round = 0; round < ROUNDS; round++) {
    backups.push(
      await inProcess({ work: 'backup', ...database, file: join(folder, `${round}.rm3`) }),
    )
    const dump = ['-Fc', '-n', 'bench', '-f', join(folder, `${round}.dump`), bench.url]
    dumps.push(await timed('pg_dump', dump, bench.say))
  }
  const seconds = Math.min(...backups.map(backup => backup.seconds))
  bench.say(`${backups.at(-1)?.steps.join(', ')}; ${statSync(join(folder, '0.rm3')).size} bytes`)
  bench.report({
    ...{ case: `${events} events`, value: events / seconds, unit: 'events/s', must: '>= 100000' },
  })
  const dump = Math.min(...dumps.map(time => time ?? Number.POSITIVE_INFINITY))
  if (Number.isFinite(dump)) {
    bench.say(`pg_dump -Fc: ${statSync(join(folder, '0.dump')).size} bytes`)
    bench.report({
      ...{ case: 'time', value: seconds, unit: 's', limit: dump, limitName: 's of pg_dump -Fc' },
      must: '<= 1',
    })
  }
  const verified = await inProcess({ work: 'verify', ...database, file: join(folder, '0.rm3') })
  bench.report({
    ...{ case: 'verify', value: events / verified.seconds, unit: 'events/s', must: '>= 100000' },
  })
  for (const [name, done] of [
    ['backup', backups[0]],
    ['verify', verified],
  ] as const) {
    const megabytes = (done?.peakBytes ?? 0) / MEGABYTE
    bench.report({ case: `memory of ${name}`, value: megabytes, unit: 'MB', must: '<= 256' })
  }
}
