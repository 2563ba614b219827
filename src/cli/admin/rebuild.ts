import { Rm3Error } from '../../errors.ts'
import { readHead } from '../../log/read.ts'
import { openBulk, type SiteDatabase } from '../../pg/bulk.ts'
import type { Projection } from '../../projector/define.ts'
import { discoverProjections } from '../../projector/discover.ts'
import { rebuildProjections } from '../../projector/rebuild.ts'
import type { Rebuilt } from '../../projector/rebuild-finish.ts'
import { listSwapped, rollbackProjections } from '../../projector/rollback.ts'
import { usualThreads } from '../../projector/threads.ts'
import { counted } from '../../scheme/words.ts'
import type { Call, Command, Outcome } from '../command.ts'
import { withDatabase } from '../open.ts'

export const rebuildCommand: Command = {
  name: 'rebuild',
  summary: 'builds projections anew beside the live tables, and swaps them in',
  details: `Without a name all of them. The site goes on meanwhile: readers see the old tables until the new ones take their place, which
takes some milliseconds. What was not as the log has it in the old tables is told. The old tables stay, with names that end with
__old, until the next rebuild.

A rebuild that was killed goes on where it was when the command is given again; several at once share the work.

With --rollback the old tables take their place again, once they hold what was written since: of the projections that the last
rebuild was of, when none is named. What was live is kept instead, so that doing it again takes it back. Rows are made by the rm3
that does it, so it must have the version that the old tables are of: after an upgrade, run the older rm3, and end the newer ones.`,
  options: { rollback: { summary: 'puts back the tables that the last rebuild replaced' } },
  arguments: [{ name: 'PROJECTION', summary: 'which ones', optional: true, repeated: true }],
  run: call =>
    withDatabase(call, ({ url }, { site }) => {
      const work = call.flag('rollback') ? rollbackSite : rebuildSite
      return work(call, { url, site })
    }),
}

async function rollbackSite(call: Call, database: SiteDatabase): Promise<Outcome> {
  const all = await discoverProjections()
  const named = call.findArgument('PROJECTION') ?? (await lastSwapped(database))
  const projections = chosen(all, named)
  const { signal } = call
  const { position, drift } = await rollbackProjections(database, { projections, all, signal })
  const names = projections.map(({ name }) => name)
  const tables = tablesOf(drift)
  const text = [
    `Rolled back: ${names.join(', ')}; swapped in at position ${position}.`,
    ...(tables.length > 0 ? ['What was live differed from them:'] : []),
    ...tables.map(lineOf),
  ].join('\n')
  return { text, data: { projections: names, position, drift: drift && tables } }
}

/** Names as they are given in an argument. @throws PROJECTION_STATE before the first rebuild */
async function lastSwapped(database: SiteDatabase): Promise<string> {
  const { db, close } = await openBulk(database)
  try {
    const names = await listSwapped(db)
    if (names.length > 0) return names.join(' ')
    throw new Rm3Error('PROJECTION_STATE', 'nothing was rebuilt yet, so nothing can be rolled back')
  } finally {
    await close()
  }
}

async function rebuildSite(call: Call, database: SiteDatabase): Promise<Outcome> {
  const all = await discoverProjections()
  const projections = chosen(all, call.findArgument('PROJECTION'))
  const events = await countEvents(database)
  const progress = call.progress('rebuilding')
  const start = performance.now()
  const rebuilt = await rebuildProjections(database, {
    ...{ projections, all, threads: usualThreads(), signal: call.signal },
    onProgress: (done, total) => progress.update(done, total),
  })
  progress.end()
  const seconds = (performance.now() - start) / 1000
  return outcome(projections, rebuilt, { events, seconds })
}

function chosen(all: readonly Projection[], names: string | null): readonly Projection[] {
  if (names === null) return all
  return names.split(' ').map(name => {
    const projection = all.find(known => known.name === name)
    if (projection !== undefined) return projection
    throw new Rm3Error(
      'USAGE',
      `there is no projection "${name}"; there are ${all.map(known => known.name).join(', ')}`,
    )
  })
}

async function countEvents(database: SiteDatabase): Promise<number> {
  const { db, close } = await openBulk(database)
  try {
    return (await readHead(db)).position
  } finally {
    await close()
  }
}

function outcome(
  projections: readonly Projection[],
  { position, drift }: Rebuilt,
  { events, seconds }: { events: number; seconds: number },
): Outcome {
  const names = projections.map(({ name }) => name)
  const tables = tablesOf(drift)
  const text = [
    `Built anew: ${names.join(', ')}; ${counted(events, 'event')} in ${seconds.toFixed(1)} s, swapped in at position ${position}.`,
    drift === null
      ? 'The old tables could not be compared: they were of another version, or too much was written meanwhile.'
      : tables.length === 0
        ? 'The old tables were as the log has it.'
        : 'The old tables were not as the log has it:',
    ...tables.map(lineOf),
  ].join('\n')
  return { text, data: { projections: names, position, events, seconds, drift: drift && tables } }
}

type TableDrift = {
  table: string
  rows: number | null
}

function tablesOf(drift: Rebuilt['drift']): TableDrift[] {
  return (drift ?? []).map(({ table, rows }) => ({ table, rows }))
}

function lineOf({ table, rows }: TableDrift): string {
  return rows === null
    ? `  ${table}: not there, or otherwise`
    : `  ${table}: ${counted(rows, 'row')}`
}
