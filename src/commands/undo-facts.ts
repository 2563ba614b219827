import { demand } from '../access/viewer.ts'
import { removeCredential } from '../content/decide-rights.ts'
import * as schedules from '../content/decide-schedule.ts'
import { Decided, differsInFacts } from '../content/decide-undo-facts.ts'
import { GRANTS_STREAM, SETTINGS_STREAM } from '../content/events.ts'
import { grantOfKey } from '../content/evolve-site.ts'
import type { Fact } from '../content/facts.ts'
import type { Entity, State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { isRm3Error } from '../errors.ts'
import { readStream } from '../log/read.ts'
import { userToChange } from './accounts.ts'
import type { Change } from './change.ts'
import { assignUser, deassignUser, denyRole, permitRole, setSetting } from './rights.ts'
import { readState } from './states.ts'
import { getVersion } from './versions.ts'

/** What a stream was before and after some of its events. */
export interface StateSpan {
  readonly before: State | null
  readonly after: State | null
}

export interface LeftFact extends Pick<Fact, 'kind' | 'key'> {
  /**
   * `revoked`: a password or token that was taken away stays so. `in_use`: the undoing was asked for with it. `past`: the instant of the
   * plan is. Else the code of what stands in the way.
   */
  readonly why: string
}

/** What became so, and what could not. */
export interface UndoneFacts {
  readonly facts: readonly Fact[]
  readonly left: readonly LeftFact[]
}

/** Nothing of the kind. */
export const NO_FACTS: UndoneFacts = { facts: [], left: [] }

/**
 * Undoes what events decided on rights, roles, settings, ways to log in, and plans to publish: what they gave is taken, what they took is given back,
 * unless somebody decided otherwise since. The viewer needs the rights that it takes to do each by hand.
 *
 * @param which `revisions` of the events, in rising order; `keeps`: a credential that stays
 */
export async function undoFacts(
  change: Change,
  stream: string,
  which: {
    readonly revisions: readonly number[]
    readonly spans: readonly StateSpan[]
    readonly keeps: string | null
  },
): Promise<UndoneFacts> {
  const { revisions, spans, keeps } = which
  if (!spans.some(({ before, after }) => differsInFacts(before, after))) return NO_FACTS
  const decided = await decidedBy(change, stream, revisions)
  const facts: Fact[] = []
  const left: LeftFact[] = []
  for (const fact of decided.toUndo(await stateOf(change, stream))) {
    if (!(await mayHear(change, stream, fact))) continue
    const why = await whyNot(change, stream, fact, keeps)
    if (why === null) facts.push(fact)
    else left.push({ kind: fact.kind, key: fact.key, why })
  }
  return { facts, left }
}

async function stateOf(change: Change, stream: string): Promise<State | null> {
  if (stream === GRANTS_STREAM) return change.grants()
  return stream === SETTINGS_STREAM ? change.settings() : change.entity(stream)
}

/** Plans are for the eyes of those who may see drafts. */
async function mayHear(change: Change, stream: string, { kind }: Fact): Promise<boolean> {
  if (kind !== 'schedule') return true
  const { path } = await entityOf(change, stream)
  return change.viewer.may('viewdraft', path)
}

async function entityOf(change: Change, id: string): Promise<Entity> {
  return (await change.entity(id)) as Entity
}

async function decidedBy(
  { site: { db } }: Change,
  stream: string,
  revisions: readonly number[],
): Promise<Decided> {
  const undone = new Set(revisions)
  let revision = (revisions[0] ?? 1) - 1
  const decided = new Decided(revision === 0 ? null : await readState(db, stream, revision))
  for (;;) {
    const events = await readStream(db, stream, { from: revision + 1 })
    for (const event of events) decided.add(upcast(event), undone.has(event.revision))
    if (events.length === 0) return decided
    revision = events.at(-1)?.revision ?? revision
  }
}

/** Records what makes a fact so; or says why that cannot be. */
async function whyNot(
  change: Change,
  stream: string,
  fact: Fact,
  keeps: string | null,
): Promise<string | null> {
  const { kind, key, value } = fact
  if (kind === 'credential' && value !== null) return 'revoked'
  if (kind === 'credential' && key === keeps) return 'in_use'
  const plan = planOf(fact)
  if (plan !== null && plan.at <= change.site.now()) return 'past'
  try {
    await make(change, stream, fact)
    return null
  } catch (thrown) {
    if (!isRm3Error(thrown)) throw thrown
    return thrown.code === 'LOGIN_REQUIRED' ? 'PERMISSION_DENIED' : thrown.code
  }
}

function planOf({ kind, value }: Fact): { revision: number; at: string } | null {
  return kind === 'schedule' ? (value as { revision: number; at: string } | null) : null
}

/** Each by the command that does it by hand, which asks for the rights. */
async function make(change: Change, stream: string, fact: Fact): Promise<void> {
  const { kind, key, value } = fact
  switch (kind) {
    case 'grant': {
      const grant = grantOfKey(key)
      return value === null ? denyRole(change, grant) : permitRole(change, grant)
    }
    case 'role':
      return value === null ? deassignUser(change, stream, key) : assignUser(change, stream, key)
    case 'setting':
      return setSetting(change, key, value)
    case 'credential':
      change.record(removeCredential(await userToChange(change, stream), key))
      return
    case 'schedule':
      return plan(change, stream, fact)
  }
}

async function plan(change: Change, stream: string, fact: Fact): Promise<void> {
  const entity = await entityOf(change, stream)
  demand(change.viewer, 'post.edit', entity.path)
  const planned = planOf(fact)
  if (planned === null) {
    change.record(schedules.cancelSchedule(entity, fact.key))
    return
  }
  const { revision, revisionId } = await getVersion(change, entity, planned.revision)
  change.record(schedules.schedulePublish(entity, { revision, revisionId, at: planned.at }))
}
