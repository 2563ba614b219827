import type { JsonObject } from '../codec/json.ts'
import { documentOf } from '../content/document.ts'
import type { SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import type { Entity, State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { type ErasableEvent, readErasable } from '../log/erase.ts'
import type { Db } from '../pg/db.ts'

/**
 * A revision of a page with all it says: `data` is the event's payload, in which content is whole (`document`), never a patch. Of erased
 * content there is no document, and of other events that were erased nothing.
 */
export interface WholeRevision {
  readonly revisionId: string
  readonly revision: number
  readonly position: number
  readonly type: string
  readonly at: string
  readonly actor: string
  readonly door: string | null
  readonly note: string | null
  /** Whether it is content that this event did not show to readers. */
  readonly draft: boolean
  /** Only where it was erased: the revision of the event that did so. */
  readonly erased?: number
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
  for (const row of await readErasable(db, entityId)) {
    if (row.position > until) break
    const event = upcast(row)
    state = evolve(state, event)
    revisions.push(wholeRevision(row, event, state as Entity))
  }
  return revisions
}

function wholeRevision(row: ErasableEvent, event: SiteEvent, after: Entity): WholeRevision {
  const { eventId, revision, position, at, actor, note } = event
  const { type, erased } = row
  const meta = JSON.parse(row.meta ?? '{}') as { door?: unknown }
  const isContent = type === 'PageCreated' || type === 'PageRevised'
  return {
    ...{ revisionId: eventId, revision, position, type, at, actor },
    door: typeof meta.door === 'string' ? meta.door : null,
    note,
    draft: isContent && after.since !== revision,
    ...(erased !== null && erased > 0 && { erased }),
    data: wholeData(event, after),
  }
}

function wholeData({ type, data }: SiteEvent, after: Entity): JsonObject {
  switch (type) {
    case 'Redacted':
      return {}
    case 'Erased': {
      const { standIns: _, ...rest } = data
      return rest as unknown as JsonObject
    }
    case 'PageRevised':
    case 'PagePublished': {
      const { patch: _, hash: __, document: ___, ...rest } = data as Partial<Changing>
      if (type === 'PagePublished' || 'erased' in data) return rest as JsonObject
      return { ...rest, document: documentOf(after.tip) } as unknown as JsonObject
    }
    default:
      return { ...data } as unknown as JsonObject
  }
}

/** The members of a payload that say how content changes. */
interface Changing {
  readonly patch: unknown
  readonly hash: unknown
  readonly document: unknown
}
