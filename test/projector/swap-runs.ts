import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { SiteDatabase } from '../../src/pg/bulk.ts'
import type { Projection } from '../../src/projector/define.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { verifyProjections } from '../../src/projector/verify.ts'
import { assert } from '../harness.ts'

const WRITERS = 3

/**
 * Rebuilds all projections again and again while three processes write and read what they wrote: no rebuild finds a row that is wrong,
 * no request fails, and in the end every row is what the log says.
 *
 * @returns how many times the processes saved meanwhile
 */
export async function swapRuns(
  database: SiteDatabase,
  all: readonly Projection[],
  swaps: number,
): Promise<number> {
  const writers = await startWriters(database.url)
  for (let swap = 1; swap <= swaps; swap++) {
    const { drift } = await rebuildProjections(database, { projections: all, all, threads: 0 })
    assert.equal(drift, [], `the tables before swap ${swap}`)
  }
  const verified = await verifyProjections(database, { projections: all, threads: 0 })
  assert.equal(verified.findings, [], 'while they write')
  const saves = await stopWriters(writers)

  const after = await verifyProjections(database, { projections: all, threads: 0 })
  assert.equal(after.findings, [])
  return saves
}

/** Processes that write until they are stopped; all have begun. */
export async function startWriters(url: string): Promise<ChildProcess[]> {
  const writers = Array.from({ length: WRITERS }, (_, n) => startWriter(url, n))
  await Promise.all(writers.map(writer => once(writer, 'message')))
  return writers
}

/** Stops them. Fails when one of them did not save, or something failed. @returns how many times they saved */
export async function stopWriters(writers: readonly ChildProcess[]): Promise<number> {
  const told = await Promise.all(writers.map(stopWriter))
  for (const { saves, failed } of told) {
    assert.equal(failed, [])
    assert.ok(saves > 0)
  }
  return told.reduce((sum, { saves }) => sum + saves, 0)
}

interface Told {
  readonly saves: number
  readonly failed: readonly string[]
}

function startWriter(url: string, number: number): ChildProcess {
  return fork(join(import.meta.dirname, 'writer-process.js'), [url, String(number)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

async function stopWriter(writer: ChildProcess): Promise<Told> {
  writer.send('stop')
  const [told] = (await once(writer, 'message')) as [Told]
  await once(writer, 'exit')
  return told
}
