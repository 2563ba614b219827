import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import { findWorkerRow, registerWorkers } from './checkpoints.ts'
import type { FoundWorker } from './discover.ts'
import { takeLease } from './lease.ts'
import { runLeased } from './run-leased.ts'
import type { Ended, Runner } from './runner.ts'

export interface RunNow {
  readonly db: Db
  readonly found: FoundWorker
  readonly runner: Runner
  readonly owner: string
  readonly say: (line: string) => void
  readonly dryRun: boolean
}

/**
 * Runs a worker now, in this process, whether it is due or has failed.
 *
 * @throws WORKER_BUSY {owner} while another process runs it, USAGE for a dry run of one that cannot
 */
export async function runNow({ db, found, owner, dryRun, ...rest }: RunNow): Promise<Ended> {
  if (dryRun && found.worker.dryRun !== true) {
    throw new Rm3Error('USAGE', `the worker "${found.name}" cannot run without changing anything`)
  }
  await registerWorkers(db, [found])
  const row = await findWorkerRow(db, found.name)
  const lease = row && (await takeLease(db, row, owner))
  if (lease) return runLeased({ db, found, lease, dryRun, ...rest })
  throw new Rm3Error(
    'WORKER_BUSY',
    `the worker "${found.name}" is run by ${row?.owner ?? 'another process'} now`,
    { name: found.name },
  )
}
