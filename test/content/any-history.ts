import fc from 'fast-check'
import { attachBlob, detachBlob } from '../../src/content/decide-blob.ts'
import { decidePage } from '../../src/content/decide-page.ts'
import {
  assignRole,
  deassignRole,
  removeCredential,
  setCredential,
} from '../../src/content/decide-rights.ts'
import { cancelSchedule, schedulePublish } from '../../src/content/decide-schedule.ts'
import type { Document } from '../../src/content/document.ts'
import type { NewEvent, SiteEvent } from '../../src/content/events.ts'
import { evolve } from '../../src/content/evolve.ts'
import type { Entity } from '../../src/content/state.ts'
import { isRm3Error } from '../../src/errors.ts'

/** What someone tries to do to an entity; `pick` chooses among the content revisions there are. */
export type Action =
  | { type: 'create'; text: Text; draft: boolean }
  | { type: 'revise'; text: Text; draft: boolean; minor: boolean; pick: number }
  | { type: 'publish'; pick: number }
  | { type: 'restore'; pick: number; draft: boolean }
  | { type: 'move'; to: string }
  | { type: 'delete'; redirect?: string | undefined }
  | { type: 'undelete'; to: string }
  | { type: 'role' | 'noRole' | 'blob' | 'noBlob' | 'noCredential'; name: string }
  | { type: 'credential'; name: string; provider: string }
  | { type: 'schedule'; pick: number; day: number }
  | { type: 'unschedule' | 'carry'; plan: number }

/** What a document is made of. */
export interface Text {
  readonly seed: number
  readonly lines: number
  readonly tags: readonly string[]
  readonly proto: string
}

/** Names that are members of every object. */
const NAMES = ['editor', 'constructor', 'toString', 'valueOf', 'hasOwnProperty']
const CREDENTIALS = ['a', 'b', 'c']
const PATHS = ['wh', 'wh.a', 'wh.a.b', 'wh.users.ann', 'wh.c']

const anyPick = fc.nat(40)
const anyLines = fc.oneof(
  { weight: 12, arbitrary: fc.nat(30) },
  { weight: 1, arbitrary: fc.integer({ min: 800, max: 1200 }) },
)
export const anyTextOfPage: fc.Arbitrary<Text> = fc.record({
  seed: fc.nat(50),
  lines: anyLines,
  tags: fc.subarray(['x', 'y', 'constructor']),
  proto: fc.constantFrom('base', 'user'),
})

export const anyAction: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: actionOf('revise', {
      text: anyTextOfPage,
      draft: fc.boolean(),
      minor: fc.boolean(),
      pick: anyPick,
    }),
  },
  { weight: 2, arbitrary: actionOf('create', { text: anyTextOfPage, draft: fc.boolean() }) },
  { weight: 4, arbitrary: actionOf('publish', { pick: anyPick }) },
  { weight: 2, arbitrary: actionOf('restore', { pick: anyPick, draft: fc.boolean() }) },
  { weight: 2, arbitrary: actionOf('move', { to: fc.constantFrom(...PATHS) }) },
  {
    weight: 1,
    arbitrary: actionOf('delete', { redirect: fc.constantFrom(undefined, '/a/', 'javascript:x') }),
  },
  { weight: 2, arbitrary: actionOf('undelete', { to: fc.constantFrom(...PATHS) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('role' as const, 'noRole' as const, 'blob' as const, 'noBlob' as const),
      name: fc.constantFrom(...NAMES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('noCredential' as const),
      name: fc.constantFrom(...CREDENTIALS),
    }),
  },
  { weight: 3, arbitrary: actionOf('schedule', { pick: anyPick, day: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('unschedule' as const, 'carry' as const),
      plan: fc.nat(3),
    }),
  },
  {
    weight: 2,
    arbitrary: actionOf('credential', {
      name: fc.constantFrom(...CREDENTIALS),
      provider: fc.constantFrom('password', 'token'),
    }),
  },
)

export const anyActions = (maxLength: number): fc.Arbitrary<Action[]> =>
  fc
    .tuple(anyTextOfPage, fc.boolean(), fc.array(anyAction, { maxLength }))
    .map(([text, draft, rest]) => [{ type: 'create', text, draft }, ...rest])

/** A history as it happened: events, the state after each, the document of each content revision. */
export interface History {
  readonly events: readonly SiteEvent[]
  readonly states: readonly Entity[]
  readonly documents: ReadonlyMap<number, Document>
}

export const ENTITY = '00000000-0000-4000-8000-000000000042'

/** What actions are done to: an entity that may not exist yet. */
export interface Subject {
  readonly id: string
  /** Where it is made. */
  readonly path: string
  readonly entity: Entity | null
  /** The document of each content revision so far. */
  readonly documents: ReadonlyMap<number, Document>
  /** The id of the event that made a revision. */
  readonly eventIdOf: (revision: number) => string
}

/** Does what is allowed of the actions, and checks on the way that nothing that is given is changed. */
export function historyOf(actions: readonly Action[]): History {
  const events: SiteEvent[] = []
  const states: Entity[] = []
  const documents = new Map<number, Document>()
  for (const action of actions) {
    const entity = states.at(-1) ?? null
    const subject = { id: ENTITY, path: 'wh.a', entity, documents, eventIdOf }
    for (const made of decided(subject, action)) {
      const event = frozen(recorded(made, events.length + 1))
      const before = states.at(-1) ?? null
      const after = evolve(before, event) as Entity
      if (after.tipRevision === event.revision)
        documents.set(event.revision, documentIn(action, documents))
      events.push(event)
      states.push(frozen(after))
    }
  }
  return { events, states, documents }
}

function eventIdOf(revision: number): string {
  return `00000000-0000-4000-9000-${String(revision).padStart(12, '0')}`
}

/** The event as the log would give it back. */
export function recorded(event: NewEvent, n: number): SiteEvent {
  return {
    ...(JSON.parse(JSON.stringify(event)) as NewEvent),
    revision: n,
    position: n,
    eventId: eventIdOf(n),
    actor: n % 2 === 0 ? 'root' : 'nobody',
    at: new Date(Date.UTC(2020, 0, 1) + n * 1000).toISOString(),
    note: null,
  } as SiteEvent
}

/** What an action comes to; [] when it is refused. Anything thrown but an Rm3Error is a bug. */
export function decided(subject: Subject, action: Action): NewEvent[] {
  try {
    return decide(subject, action)
  } catch (thrown) {
    if (isRm3Error(thrown)) return []
    throw thrown
  }
}

function decide(subject: Subject, action: Action): NewEvent[] {
  const { entity, documents } = subject
  switch (action.type) {
    case 'create':
      return decidePage(entity, {
        type: 'CreatePage',
        id: subject.id,
        path: subject.path,
        document: documentOfText(action.text),
        draft: action.draft,
      })
    case 'revise': {
      const { draft, minor, text, pick } = action
      return decidePage(entity, {
        type: 'RevisePage',
        document: documentOfText(text),
        base: picked(documents, pick),
        draft,
        minor,
      })
    }
    case 'publish': {
      const revision = picked(documents, action.pick)
      return decidePage(entity, {
        type: 'PublishPage',
        revision,
        revisionId: subject.eventIdOf(revision),
        document: documentIn(action, documents),
      })
    }
    case 'restore': {
      const revision = picked(documents, action.pick)
      return decidePage(entity, {
        type: 'RevisePage',
        document: documentIn(action, documents),
        base: revision,
        draft: action.draft,
        restored: revision,
      })
    }
    case 'move':
      return decidePage(entity, { type: 'MovePage', to: action.to })
    case 'delete':
      return decidePage(entity, {
        type: 'DeletePage',
        ...(action.redirect && { redirect: action.redirect }),
      })
    case 'undelete':
      return decidePage(entity, { type: 'UndeletePage', path: action.to })
    case 'schedule':
    case 'unschedule':
    case 'carry':
      return entity === null ? [] : decidePlan(subject, entity, action)
    default:
      return entity === null ? [] : decideOther(entity, action)
  }
}

function decidePlan(
  { documents, eventIdOf }: Subject,
  entity: Entity,
  action: Extract<Action, { day: number } | { plan: number }>,
): NewEvent[] {
  if (action.type === 'schedule') {
    const revision = picked(documents, action.pick)
    const at = `2031-01-0${action.day + 1}T00:00:00.000Z`
    return schedulePublish(entity, { revision, revisionId: eventIdOf(revision), at })
  }
  const plans = Object.entries(entity.schedules)
  const [schedule = '', plan] = plans[action.plan % Math.max(1, plans.length)] ?? []
  if (action.type === 'unschedule') return cancelSchedule(entity, schedule)
  const document = plan && documents.get(plan.revision)
  if (plan === undefined || document === undefined) return []
  const { revision, revisionId } = plan
  return decidePage(entity, { type: 'PublishPage', revision, revisionId, document, schedule })
}

function decideOther(entity: Entity, action: Extract<Action, { name: string }>): NewEvent[] {
  const { name } = action
  switch (action.type) {
    case 'role':
      return assignRole(entity, name)
    case 'noRole':
      return deassignRole(entity, name)
    case 'blob':
      return attachBlob(entity, {
        name,
        sha256: String(entity.revision % 3).repeat(64),
        sizeBytes: 3,
        mediaType: 'image/png',
        category: 'public',
      })
    case 'noBlob':
      return detachBlob(entity, name)
    case 'credential':
      return setCredential(entity, {
        credential: credentialOf(entity, name),
        provider: action.provider,
      })
    default:
      return removeCredential(entity, credentialOf(entity, name))
  }
}

/** An id that no other entity's credential has. */
function credentialOf({ id }: Entity, name: string): string {
  return name + id.slice(1)
}

/** The document an action writes. */
export function documentIn(action: Action, documents: ReadonlyMap<number, Document>): Document {
  if ('text' in action) return documentOfText(action.text)
  const document = 'pick' in action ? documents.get(picked(documents, action.pick)) : undefined
  if (document === undefined) throw new Error(`${action.type} writes no document`)
  return document
}

function picked(documents: ReadonlyMap<number, Document>, pick: number): number {
  const revisions = [...documents.keys()]
  return revisions[pick % Math.max(1, revisions.length)] ?? 0
}

/** A document with a text of so many lines, of which a few differ from seed to seed, and a word that only this seed has, also as a name. */
export function documentOfText({ seed, lines, tags, proto }: Text): Document {
  const posting = Array.from(
    { length: lines },
    (_, n) =>
      `line ${n} ${n % 17 === seed % 17 ? `changed ${seed}` : 'of a text that stays as it is'}\n`,
  )
  return {
    proto,
    hidden: seed % 5 === 0,
    summary: { title: `Title ${seed % 7}`, abstract: 'x'.repeat(seed) },
    data: {
      posting: posting.join(''),
      email: `${seed % 3}@example.org`,
      $text: [seed],
      [`only${seed}`]: `only${seed}`,
    },
    tags: { about: tags.map(tag => ({ '@id': tag, objClass: 'tag' })) },
  }
}

/** `value`, which cannot be changed any more in any part. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) frozen(member)
  return value
}

function actionOf<Type extends Action['type'], Members extends object>(
  type: Type,
  members: { [Key in keyof Members]: fc.Arbitrary<Members[Key]> },
): fc.Arbitrary<{ type: Type } & Members> {
  return fc.record({ type: fc.constant(type), ...members }) as unknown as fc.Arbitrary<
    { type: Type } & Members
  >
}
