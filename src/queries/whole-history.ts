import type { JsonObject } from '../codec/json.ts'
import { documentOf } from '../content/document.ts'
import type { EventType, SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import type { Entity, State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import type { RecordedEvent } from '../log/event.ts'
import { readStream } from '../log/read.ts'
import type { Db } from '../pg/db.ts'

/** A revision of a page with all it says: `data` is the event's payload, in which content is whole (`document`), never a patch. */
export interface WholeRevision {
  readonly revisionId: string
  readonly revision: number
  readonly position: number
  readonly type: EventType
  readonly at: string
  readonly actor: string
  readonly door: string | null
  readonly note: string | null
  /** Whether it is content that this event did not show to readers. */
  readonly draft: boolean
  readonly data: JsonObject
}

/**
 * Everything that ever happened to an entity up to a position, oldest first, with its contents. For those who may read all.
 *
 * @returns [] when there is no such entity
 */
export async function readWholeHistory(
  db: Db,
  entityId: string,
  until: number = Number.MAX_SAFE_INTEGER,
): Promise<WholeRevision[]> {
  const revisions: WholeRevision[] = []
  let state: State | null = null
  for (;;) {
    const rows = await readStream(db, entityId, { from: (state?.revision ?? 0) + 1 })
    if (rows.length === 0) return revisions
    for (const row of rows) {
      if (row.position > until) return revisions
      const event = upcast(row)
      state = evolve(state, event)
      revisions.push(wholeRevision(row, event, state as Entity))
    }
  }
}

function wholeRevision(row: RecordedEvent, event: SiteEvent, after: Entity): WholeRevision {
  const { eventId, revision, position, type, at, actor, note } = event
  const meta = JSON.parse(row.meta ?? '{}') as { door?: unknown }
  const isContent = type === 'PageCreated' || type === 'PageRevised'
  return {
    ...{ revisionId: eventId, revision, position, type, at, actor },
    door: typeof meta.door === 'string' ? meta.door : null,
    note,
    draft: isContent && after.since !== revision,
    data: wholeData(event, after),
  }
}

function wholeData({ type, data }: SiteEvent, after: Entity): JsonObject {
  if (type !== 'PageRevised' && type !== 'PagePublished') return { ...data } as JsonObject
  const { patch: _, hash: __, ...rest } = data as { patch?: unknown; hash?: unknown }
  if (type === 'PagePublished') return rest as JsonObject
  return { ...rest, document: documentOf(after.tip) } as unknown as JsonObject
}
