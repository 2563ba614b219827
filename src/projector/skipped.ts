import type { Db } from '../pg/db.ts'
import { isPerEntity, type Projection } from './define.ts'

const SKIPPED = `select name, array_agg(position::float8) as positions from skipped_events group by name`

/** Projections as they are where an operator had one leave out events: those leave no rows (see `operate.ts`). */
export async function withoutSkipped<Kind extends Projection>(
  db: Db,
  projections: readonly Kind[],
): Promise<Kind[]> {
  const rows = await db.rows<{ name: string; positions: readonly number[] }>(SKIPPED)
  const skipped = new Map(rows.map(({ name, positions }) => [name, new Set(positions)]))
  return projections.map(projection => {
    const positions = skipped.get(projection.name)
    return positions === undefined
      ? projection
      : leavingOut(projection, position => positions.has(position))
  })
}

/** A projection to which events at some positions are as nothing. */
export function leavingOut<Kind extends Projection>(
  projection: Kind,
  isLeftOut: (position: number) => boolean,
): Kind {
  if (isPerEntity(projection)) {
    const { step } = projection
    return { ...projection, step: it => (isLeftOut(it.event.position) ? [] : step(it)) }
  }
  const { apply } = projection
  return {
    ...projection,
    apply: async (events, db) => {
      const rest = events.filter(({ position }) => !isLeftOut(position))
      if (rest.length > 0) await apply(rest, db)
    },
  }
}
