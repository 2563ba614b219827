import fc from 'fast-check'
import { changeSetting, deny, permit } from '../../src/content/decide-rights.ts'
import type { Document } from '../../src/content/document.ts'
import {
  GRANTS_STREAM,
  type NewEvent,
  SETTINGS_STREAM,
  type SiteEvent,
} from '../../src/content/events.ts'
import { evolve } from '../../src/content/evolve.ts'
import type { Entity, Grants, Settings, State } from '../../src/content/state.ts'
import { type Action, anyAction, decided, documentIn } from '../content/any-history.ts'

/** One thing done on a site: to one of a few entities, to the grants or to the settings. */
export type Deed =
  | { on: 'entity'; which: number; action: Action }
  | { on: 'grants'; permits: boolean; role: string; pattern: string }
  | { on: 'settings'; key: string; value: number }

const PLACES = ['wh', 'wh.a', 'wh.a.b', 'wh.users.ann', 'wh.users.bob']
/** When everything happens: the same whether it is written at once or one by one. */
export const LOG_AT = '2021-03-04T05:06:07.089Z'

const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      on: fc.constant('entity' as const),
      which: fc.nat(PLACES.length - 1),
      action: anyAction,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      on: fc.constant('grants' as const),
      permits: fc.boolean(),
      role: fc.constantFrom('nobody', 'constructor'),
      pattern: fc.constantFrom('*', 'wh.!users.*'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      on: fc.constant('settings' as const),
      key: fc.constantFrom('site.title', 'constructor'),
      value: fc.nat(2),
    }),
  },
)

/** The log of a site on which some things were done, with the state of its stream after each event. */
export interface AnyLog {
  readonly events: readonly SiteEvent[]
  readonly states: readonly State[]
}

/** Logs of about so many events in which no two pages are live at one path. */
export const anyLog = (deeds: number): fc.Arbitrary<AnyLog> =>
  fc.array(anyDeed, { minLength: deeds, maxLength: deeds, size: 'max' }).map(logOf)

function logOf(deeds: readonly Deed[]): AnyLog {
  const events: SiteEvent[] = []
  const states: State[] = []
  const newest = new Map<string, State>()
  const documents = new Map<string, Map<number, Document>>()
  for (const deed of deeds) {
    for (const made of eventsOf(deed, { newest, documents, events })) {
      const before = newest.get(made.stream) ?? null
      const event = placed(made, events.length + 1, before)
      const after = evolve(before, event)
      if (takesPath(after, newest)) break
      if (deed.on === 'entity' && after.kind === 'entity' && after.tipRevision === event.revision) {
        const known = documents.get(event.stream) ?? new Map<number, Document>()
        documents.set(event.stream, known.set(event.revision, documentIn(deed.action, known)))
      }
      newest.set(event.stream, after)
      events.push(event)
      states.push(after)
    }
  }
  return { events, states }
}

interface Sofar {
  readonly newest: ReadonlyMap<string, State>
  readonly documents: ReadonlyMap<string, ReadonlyMap<number, Document>>
  readonly events: readonly SiteEvent[]
}

function eventsOf(deed: Deed, { newest, documents, events }: Sofar): NewEvent[] {
  if (deed.on === 'grants') {
    const grants = (newest.get(GRANTS_STREAM) ?? null) as Grants | null
    const grant = { role: deed.role, permission: 'view', pattern: deed.pattern }
    return deed.permits ? permit(grants, grant) : deny(grants, grant)
  }
  if (deed.on === 'settings') {
    const settings = (newest.get(SETTINGS_STREAM) ?? null) as Settings | null
    return changeSetting(settings, deed.key, deed.value)
  }
  const id = `00000000-0000-4000-8000-00000000020${deed.which}`
  const entity = (newest.get(id) ?? null) as Entity | null
  const { action } = deed
  if (entity === null && !('text' in action)) return []
  const eventIdOf = (revision: number) =>
    events.find(event => event.stream === id && event.revision === revision)?.eventId ?? ''
  return decided(
    {
      id,
      path: PLACES[deed.which] ?? 'wh',
      entity,
      documents: documents.get(id) ?? new Map(),
      eventIdOf,
    },
    entity === null && 'text' in action ? { ...action, type: 'create' } : action,
  )
}

function placed(event: NewEvent, position: number, before: State | null): SiteEvent {
  return {
    ...(JSON.parse(JSON.stringify(event)) as NewEvent),
    revision: (before?.revision ?? 0) + 1,
    position,
    eventId: `00000000-0000-4000-a000-${String(position).padStart(12, '0')}`,
    actor: 'root',
    at: LOG_AT,
    note: null,
  } as SiteEvent
}

/** Whether a page would be live where another one is. */
function takesPath(after: State, newest: ReadonlyMap<string, State>): boolean {
  if (after.kind !== 'entity' || after.state !== 'live') return false
  return [...newest.values()].some(
    other =>
      other.kind === 'entity' &&
      other.id !== after.id &&
      other.state === 'live' &&
      other.path === after.path,
  )
}
