import { documentOf } from '../../src/content/document.ts'
import type { SiteEvent } from '../../src/content/events.ts'
import type { Entity, State } from '../../src/content/state.ts'
import { FOREVER } from '../../src/projector/define.ts'
import type { AnyLog } from '../support/any-log.ts'

/** Something that was so between two positions: `[stream, key, from, until]`. */
export type Range = [stream: string, key: string, from: number, until: number]

interface Step {
  readonly event: SiteEvent
  readonly state: State
}

/** Ranges of what `keysOf` says is so after each event, as simply as it can be said. */
function rangesOf(
  log: AnyLog,
  keysOf: (step: Step, before: readonly string[]) => string[],
): Range[] {
  const open = new Map<string, Map<string, Range>>()
  const ranges: Range[] = []
  log.events.forEach((event, index) => {
    const mine = open.get(event.stream) ?? new Map<string, Range>()
    const state = log.states[index] as State
    const now = new Set(keysOf({ event, state }, [...mine.keys()]))
    for (const [key, range] of mine) {
      if (now.has(key)) continue
      range[3] = event.position
      mine.delete(key)
    }
    for (const key of now) {
      if (mine.has(key)) continue
      const range: Range = [event.stream, key, event.position, FOREVER]
      mine.set(key, range)
      ranges.push(range)
    }
    open.set(event.stream, mine)
  })
  return ranges
}

/** Tags of what readers see. */
export function tagRanges(log: AnyLog): Range[] {
  return rangesOf(log, ({ state }) => {
    if (state.kind !== 'entity' || state.state !== 'live' || state.live === null) return []
    const tags = documentOf(state.live.document).tags['about'] as { '@id': string }[]
    return tags.map(tag => tag['@id'])
  })
}

/** Roles that users have; likewise for anything that one event gives and another takes. */
export function heldRanges(
  log: AnyLog,
  gives: SiteEvent['type'],
  takes: SiteEvent['type'],
  nameOf: (data: Record<string, unknown>) => unknown,
): Range[] {
  return rangesOf(log, ({ event }, before) => {
    const name = String(nameOf(event.data as unknown as Record<string, unknown>))
    if (event.type === gives)
      return [...before.filter(key => !key.startsWith(`${name} `)), `${name} ${event.position}`]
    if (event.type === takes) return before.filter(key => !key.startsWith(`${name} `))
    return [...before]
  })
}

/** What lay ahead of each page. */
export function scheduleRanges(log: AnyLog): Range[] {
  return rangesOf(log, ({ event }, before) => {
    switch (event.type) {
      case 'PublishScheduled':
        return [...before, event.eventId]
      case 'ScheduleCancelled':
      case 'PagePublished':
        return before.filter(id => id !== event.data.schedule)
      case 'PageDeleted':
        return []
      default:
        return [...before]
    }
  })
}

/** What readers saw of each page. */
export function shownRanges(log: AnyLog): Range[] {
  return rangesOf(log, ({ state }, before) => {
    if (state.kind !== 'entity') return []
    return state.since === state.revision
      ? [`${state.since} ${state.state} ${state.path}`]
      : [...before]
  })
}

/** What lists showed of each page. */
export function headingRanges(log: AnyLog): unknown[][] {
  const ranges = rangesOf(log, ({ state }) => {
    if (state.kind !== 'entity' || state.state !== 'live' || state.live === null) return []
    const { proto, hidden, summary, tags } = documentOf(state.live.document)
    const { path, created } = state
    return [JSON.stringify([path, proto, hidden, summary, created, tags])]
  })
  return ranges.map(([id, key, from, until]) => {
    const [path, proto, hidden, summary, created, tags] = JSON.parse(key)
    return [id, [path, proto, hidden, summary.title, created, tags], from, until]
  })
}

/** Each entity as it was at a position. */
export function entitiesAt(log: AnyLog, position: number): Entity[] {
  const entities = new Map<string, Entity>()
  for (const state of log.states.slice(0, position)) {
    if (state.kind === 'entity') entities.set(state.id, state)
  }
  return [...entities.values()]
}

/** The entity that readers last saw come to a path, up to a position. */
export function lastAtPath(log: AnyLog, path: string, position: number): string | undefined {
  return log.states
    .slice(0, position)
    .findLast(
      (state): state is Entity =>
        state.kind === 'entity' && state.since === state.revision && state.path === path,
    )?.id
}
