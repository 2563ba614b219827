import { Gauge, type Registry } from 'prom-client'
import type { Site } from '../../commands/change.ts'
import { backupStandingOf, type Standing } from '../../jobs/backup-standing.ts'
import { listWorkers, type WorkerStatus } from '../../jobs/checkpoints.ts'

/** Figures of one look serve all of them. */
const SHARED_MS = 500

/**
 * Adds what the workers do to the figures, read from their rows when they are asked for: they are the site's, not this process's. While the
 * database is away there are none of these, and the others all the same.
 */
export function addWorkerMetrics(registry: Registry, site: Site): void {
  const read = shared(async () => listWorkers(site.db).catch(() => []))
  const gauge = (name: string, help: string, figureOf: (worker: WorkerStatus) => number | null) =>
    new Gauge({
      ...{ name, help, labelNames: ['worker'], registers: [registry] },
      async collect() {
        const workers = await read()
        this.reset()
        for (const worker of workers) {
          const value = figureOf(worker)
          if (value !== null) this.set({ worker: worker.name }, value)
        }
      },
    })
  gauge('rm3_worker_failed', 'Whether the last run of a worker failed', ({ error }) =>
    error === null ? 0 : 1,
  )
  gauge('rm3_worker_stopped', 'Whether a worker is not tried again by itself', ({ state }) =>
    state === 'failed' ? 1 : 0,
  )
  gauge('rm3_worker_ended_seconds', 'When the last run ended, since 1970', ({ lastRun }) =>
    lastRun === null ? null : Date.parse(lastRun.ended) / 1000,
  )
  gauge('rm3_worker_lag_positions', 'How far the log is ahead of a subscription', ({ lag }) => lag)
  addBackupMetrics(registry, read)
}

/** Figures of the last scheduled backup and the last rehearsal that went well; none before the first. */
function addBackupMetrics(registry: Registry, read: () => Promise<WorkerStatus[]>): void {
  const gauge = (name: string, help: string, figureOf: (standing: Standing) => number | null) =>
    new Gauge({
      ...{ name, help, registers: [registry] },
      async collect() {
        const value = figureOf(backupStandingOf(await read()))
        this.reset()
        if (value !== null) this.set(value)
        else this.remove()
      },
    })
  const secondsOf = (at: string | undefined) => (at === undefined ? null : Date.parse(at) / 1000)
  gauge('rm3_backup_seconds', 'When the last good backup was begun, since 1970', ({ backup }) =>
    secondsOf(backup?.at),
  )
  gauge(
    'rm3_backup_bytes',
    'Size of the last good backup',
    ({ backup }) => backup?.sizeBytes ?? null,
  )
  gauge(
    'rm3_backup_position',
    'Up to where the last good backup goes',
    ({ backup }) => backup?.position ?? null,
  )
  gauge('rm3_restore_drill_seconds', 'When a backup was last rehearsed, since 1970', ({ drill }) =>
    secondsOf(drill?.at),
  )
}

function shared<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let known: { readonly at: number; readonly value: Promise<Value> } | null = null
  return () => {
    if (known === null || Date.now() - known.at > SHARED_MS) {
      known = { at: Date.now(), value: read() }
    }
    return known.value
  }
}
