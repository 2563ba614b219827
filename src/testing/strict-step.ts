import assert from 'node:assert/strict'
import type { Db } from '../pg/db.ts'
import type { EntityProjection, RowChange, Step } from '../projector/define.ts'
import { loadShapes, type Shape } from '../projector/target.ts'

/** A per-entity projection whose step is checked each time: it changes nothing, gives the same again, and only rows of its stream. */
export async function strictly(db: Db, projection: EntityProjection): Promise<EntityProjection> {
  const found = await loadShapes(db, Object.keys(projection.tables))
  const shapes = new Map(found.map(shape => [shape.name, shape]))
  return {
    ...projection,
    step: step => {
      freeze([step.before, step.event, step.after])
      const rows = projection.step(step)
      assert.deepEqual(projection.step(step), rows, 'step gives the same for the same')
      for (const change of rows) checkChange(projection, shapes, step, change)
      return rows
    },
  }
}

function checkChange(
  { name, tables }: EntityProjection,
  shapes: ReadonlyMap<string, Shape>,
  { event }: Step,
  { op, table, row }: RowChange,
): void {
  const where = `${name} at position ${event.position}: ${op} into "${table}"`
  const owner = tables[table]
  const shape = shapes.get(table)
  assert.ok(owner !== undefined && shape !== undefined, `${where}, which is not a table of it`)
  if ('only' in owner) assert.equal(event.stream, owner.only, `${where}: not a row of this stream`)
  else if (op === 'put') {
    assert.equal(row[owner.column], event.stream, `${where}: ${owner.column} is not the stream`)
  }
  const columns = shape.columns.map(({ name }) => name)
  const wanted =
    op === 'put' ? columns : [...shape.key, ...(op === 'close' ? ['until_position'] : [])]
  assert.deepEqual(Object.keys(row).sort(), [...wanted].sort(), `${where}: columns`)
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const member of Object.values(value)) freeze(member)
}
