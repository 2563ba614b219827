import { documentOf } from '../../src/content/document.ts'
import type { SiteEvent } from '../../src/content/events.ts'
import { evolve } from '../../src/content/evolve.ts'
import type { Entity, State } from '../../src/content/state.ts'
import { upcast } from '../../src/content/upcast.ts'
import { readLog } from '../../src/log/read.ts'
import type { Db } from '../../src/pg/db.ts'
import { type AccessState, oracle } from '../access/oracle.ts'

/** One event of an entity, and the entity before and after it. */
export interface Moment {
  readonly event: SiteEvent
  readonly before: Entity | null
  readonly after: Entity
}

/** What a log says, read as simply as it can be: the reference for reads as of a position. */
export class LogModel {
  readonly moments: Moment[] = []
  readonly #now = new Map<string, Entity>()
  #read = 0

  /** Reads what was added to the log. */
  async read(db: Db): Promise<void> {
    for (;;) {
      const rows = await readLog(db, this.#read)
      for (const row of rows) this.#add(upcast(row))
      if (rows.length === 0) return
    }
  }

  get head(): number {
    return this.#read
  }

  #states = new Map<string, State>()

  #add(event: SiteEvent): void {
    const before = this.#states.get(event.stream) ?? null
    const after = evolve(before, event)
    this.#states.set(event.stream, after)
    this.#read = event.position
    if (after.kind !== 'entity') return
    this.moments.push({ event, before: before as Entity | null, after })
    this.#now.set(after.id, after)
  }

  /** Each entity as it was. */
  at(position: number): Entity[] {
    const then = new Map<string, Entity>()
    for (const { event, after } of this.moments) {
      if (event.position > position) break
      then.set(after.id, after)
    }
    return [...then.values()]
  }

  /** Where the entity is now, or was last. */
  nowPath(id: string): string {
    return this.#now.get(id)?.path ?? ''
  }

  now(id: string): Entity | null {
    return this.#now.get(id) ?? null
  }

  /** The entity that readers last saw come to a path, up to a position. */
  lastAt(path: string, position: number): string | null {
    const last = this.moments.findLast(
      ({ event, after }) =>
        event.position <= position && after.since === after.revision && after.path === path,
    )
    return last?.after.id ?? null
  }
}

/** Whether one user may something somewhere today. */
export type May = (permission: string, path: string) => boolean

export function mayOf(state: AccessState, user: string | null): May {
  const known = new Map<string, boolean>()
  return (permission, path) => {
    const key = `${permission} ${path}`
    let may = known.get(key)
    if (may === undefined) {
      may = oracle(state, user, permission, path)
      known.set(key, may)
    }
    return may
  }
}

/** Whether the past of something may be read that had these paths, the one of today among them. */
export function pastOf(may: May, paths: readonly string[]): boolean {
  return paths.every(path => may('view', path) && may('history', path))
}

export function titleOf({ live, tip }: Entity): string {
  return String(documentOf(live?.document ?? tip).summary['title'])
}

export function isHidden({ live }: Entity): boolean {
  return live !== null && documentOf(live.document).hidden
}
