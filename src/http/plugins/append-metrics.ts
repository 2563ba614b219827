import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Appends } from '../../log/append-watch.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200]

/** Adds what this process writes to the log to the figures. @returns what ends that */
export function addAppendMetrics(registry: Registry, appends: Appends): () => void {
  const registers = [registry]
  const outcomes = new Counter({
    name: 'rm3_appends_total',
    help: 'Appends answered, by outcome: done, repeated, or the code of the error',
    labelNames: ['outcome'],
    registers,
  })
  const latency = new Histogram({
    name: 'rm3_append_seconds',
    help: 'Time from an append to its answer, its wait for a batch among it',
    buckets: SECONDS,
    registers,
  })
  const sizes = new Histogram({
    name: 'rm3_append_batch_size',
    help: 'Appends in one batch, which are one transaction',
    buckets: SIZES,
    registers,
  })
  new Gauge({
    name: 'rm3_appends_waiting',
    help: 'Appends not answered yet',
    registers,
    collect() {
      this.set(appends.waiting)
    },
  })
  return appends.observe({
    sent: size => sizes.observe(size),
    answered: (outcome, seconds) => {
      outcomes.inc({ outcome })
      latency.observe(seconds)
    },
  })
}
