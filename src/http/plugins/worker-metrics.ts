import { Gauge, type Registry } from 'prom-client'
import type { Site } from '../../commands/change.ts'
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
