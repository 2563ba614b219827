import type { Db } from '../pg/db.ts'
import { readNow } from './checkpoints.ts'
import { TIMEOUT_MS, TRIES_MAX } from './define.ts'
import type { FoundWorker } from './discover.ts'
import { fail, type Lease, release, renewLease, succeed } from './lease.ts'
import type { Ended, Runner } from './runner.ts'
import { nextDue } from './schedule.ts'

export interface LeasedRun {
  readonly db: Db
  readonly runner: Runner
  readonly found: FoundWorker
  readonly lease: Lease
  readonly say: (line: string) => void
  readonly dryRun?: boolean
}

/** Runs a worker whose lease we have, and writes down how it went, which gives the lease back. */
export async function runLeased(leased: LeasedRun): Promise<Ended> {
  const { db, runner, found, lease, dryRun = false } = leased
  const { worker, name, file } = found
  const ended = await runner.run({
    task: { name, file, dryRun, token: lease.token, position: lease.position },
    timeoutMs: worker.timeoutMs ?? TIMEOUT_MS,
    renew: progress => renewLease(db, lease, progress),
  })
  if (dryRun) await release(db, lease)
  else await record(leased, ended)
  return ended
}

async function record({ db, found, lease, say }: LeasedRun, ended: Ended): Promise<void> {
  const { worker, name } = found
  switch (ended.type) {
    case 'done': {
      const now = await readNow(db)
      // one that was run before it was due is due all the same
      const due =
        lease.due !== null && lease.due > now ? lease.due : nextDue(worker, lease.due, now)
      await succeed(db, lease, { due, report: ended.report })
      return
    }
    case 'failed': {
      const { triesMax = TRIES_MAX } = worker
      const { error, position } = ended
      const failed = await fail(db, lease, { error, position, triesMax })
      const last = failed?.state === 'failed' ? '; it is not tried again' : ''
      say(`${name} failed (${failed?.tries ?? lease.tries} of ${triesMax} tries${last}): ${error}`)
      return
    }
    case 'stopped':
      await release(db, lease)
      return
    case 'lost':
      say(`${name}: another process has taken over`)
      return
    default:
      unreachable(ended)
  }
}

function unreachable(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`)
}
