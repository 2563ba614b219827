import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { HttpContext } from '../context.ts'
import { addAppendMetrics } from './append-metrics.ts'

const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The figures of this process. */
export interface Metrics {
  readonly registry: Registry
  close(): void
}

/** Counts requests by route and status, with their latency, and what the log and the process do. */
export function addMetrics(server: FastifyInstance, { wakeups, appends }: HttpContext): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'rm3_' })
  const latency = new Histogram({
    name: 'rm3_http_request_seconds',
    help: 'Time until an answer was sent, by route and class of status',
    labelNames: ['route', 'status'],
    buckets: LATENCY_SECONDS,
    registers: [registry],
  })
  const requests = new Counter({
    name: 'rm3_http_requests_total',
    help: 'Requests answered, by route, method and status',
    labelNames: ['route', 'method', 'status'],
    registers: [registry],
  })
  const position = new Gauge({
    name: 'rm3_log_position',
    help: 'Last position of the log that this process knows of',
    registers: [registry],
  })
  server.addHook('onResponse', (request, reply, done) => {
    const { statusCode, elapsedTime } = reply
    const route = request.routeOptions.url ?? 'none'
    latency.observe({ route, status: `${Math.floor(statusCode / 100)}xx` }, elapsedTime / 1000)
    requests.inc({ route, method: methodLabel(request.method), status: String(statusCode) })
    done()
  })
  const ends = [
    wakeups?.watch(reached => position.set(reached)),
    appends ? addAppendMetrics(registry, appends) : undefined,
  ]
  return {
    registry,
    close: () => {
      for (const end of ends) end?.()
      registry.clear()
    },
  }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Whatever callers send, there are few labels. */
function methodLabel(method: string): string {
  return METHODS.has(method) ? method : 'other'
}
