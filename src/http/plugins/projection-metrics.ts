import { Gauge, type Registry } from 'prom-client'
import type { Wakeups } from '../../log/wakeups.ts'
import type { Db } from '../../pg/db.ts'
import { findScrub } from '../../projector/scrub.ts'
import { listStandings, type ProjectionStanding } from '../../projector/standing.ts'

const STATES = ['building', 'live', 'paused', 'failed'] as const

/** How far the projections of the site are, asked of the database when the figures are asked for; without it they are missing. */
export function addProjectionMetrics(registry: Registry, db: Db, wakeups: Wakeups | null): void {
  const gauge = (name: string, help: string, labelNames: string[], set: Setter) =>
    new Gauge({
      ...{ name, help, labelNames, registers: [registry] },
      async collect() {
        this.reset()
        const standings = await listStandings(db).catch(() => [])
        for (const standing of standings) if (standing.mode === 'async') set(this, standing)
      },
    })
  gauge(
    'rm3_projection_lag_events',
    'Events of the log that a projection has not seen',
    ['projection'],
    (it, { name, lag }) => it.set({ projection: name }, lag),
  )
  gauge(
    'rm3_projection_lag_seconds',
    'How long the first event that a projection has not seen has waited',
    ['projection'],
    (it, { name, lagSeconds }) => it.set({ projection: name }, lagSeconds),
  )
  gauge(
    'rm3_projection_state',
    '1 for the state that a projection is in',
    ['projection', 'state'],
    (it, standing) => {
      for (const state of STATES) {
        it.set({ projection: standing.name, state }, standing.state === state ? 1 : 0)
      }
    },
  )
  new Gauge({
    name: 'rm3_scrub_differences',
    help: 'Rows that were not as the log has them, in this round of comparing everything and in the last one',
    labelNames: ['round'],
    registers: [registry],
    async collect() {
      this.reset()
      const scrub = await findScrub(db).catch(() => null)
      if (scrub === null) return
      this.set({ round: 'this' }, scrub.differences)
      if (scrub.lastRound) this.set({ round: 'last' }, scrub.lastRound.differences)
    },
  })
  new Gauge({
    name: 'rm3_listen_up',
    help: 'Whether this process hears of what others append; without it looks every second',
    registers: [registry],
    collect() {
      this.set(wakeups?.isListening ? 1 : 0)
    },
  })
}

type Setter = (gauge: Gauge, standing: ProjectionStanding) => void
