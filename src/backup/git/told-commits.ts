import { LRUCache } from 'lru-cache'
import { readState } from '../../commands/states.ts'
import { evolve } from '../../content/evolve.ts'
import type { Entity, State } from '../../content/state.ts'
import { upcast } from '../../content/upcast.ts'
import { isUser } from '../../content/user.ts'
import type { RecordedEvent } from '../../log/event.ts'
import { readLogPart } from '../../log/read.ts'
import type { Db } from '../../pg/db.ts'
import { type ShownBlob, ShownSite } from './shown-site.ts'
import type { Told } from './trailers.ts'

/** A commit of a site's history. */
export interface SiteCommit {
  readonly author: { readonly name: string; readonly email: string }
  readonly told: Told
  /** What files become; null: they go. */
  readonly files: ReadonlyMap<string, string | ShownBlob | null>
}

/** States that are kept at hand; others are read again. */
const STATES_MAX = 2_000
const PART = { events: 1_000, bytes: 4_000_000 }
const ACTORS: Readonly<Record<string, string>> = { root: 'root', nobody: 'nobody', system: 'rm3' }

/**
 * A site's log as commits, in order: one for the events of one save that changed what readers could see, with what they saw then as files.
 * Drafts that never went live, rights, accounts' secrets and settings are no part of it.
 *
 * @param until last position that counts
 */
export async function* toldCommits(db: Db, until: number): AsyncGenerator<SiteCommit> {
  const states = new LRUCache<string, State>({ max: STATES_MAX })
  const people = new Map<string, { name: string; email: string }>()
  const site = new ShownSite()
  let group: RecordedEvent[] = []
  const ended = (): SiteCommit[] => {
    const [first] = group
    group = []
    const { events, files } = site.taken()
    if (first === undefined || events.length === 0) return []
    const { position, at, recordedAt, actor, note } = first
    const author = people.get(actor) ?? strangerOf(actor)
    return [{ author, files, told: { position, at, recordedAt, actor, note, events } }]
  }
  for (let after = 0; after < until; ) {
    const rows = await readLogPart(db, after, PART)
    if (rows.length === 0) break
    for (const row of rows.filter(({ position }) => position <= until)) {
      const event = upcast(row)
      if (group[0] && (!isSameSave(group[0], row) || site.isTold(event))) yield* ended()
      group.push(row)
      const state = await follow(db, states, row)
      if (state.kind !== 'entity') continue
      site.show(event, state)
      if (isUser(state)) people.set(state.id, personOf(state))
    }
    after = rows.at(-1)?.position ?? until
  }
  yield* ended()
}

/** Events of one save are recorded at one time, by one author with one note. */
function isSameSave(one: RecordedEvent, other: RecordedEvent): boolean {
  return (
    one.recordedAt === other.recordedAt &&
    one.at === other.at &&
    one.actor === other.actor &&
    one.note === other.note
  )
}

async function follow(db: Db, states: LRUCache<string, State>, row: RecordedEvent): Promise<State> {
  const before =
    row.revision === 1
      ? null
      : (states.get(row.stream) ?? (await readState(db, row.stream, row.revision - 1)))
  const after = evolve(before, upcast(row))
  states.set(row.stream, after)
  return after
}

/** A user as they were called then. */
function personOf({ id, live }: Entity): { name: string; email: string } {
  const document = live?.document as { summary?: { title?: unknown }; data?: { email?: unknown } }
  const { title } = document.summary ?? {}
  const { email } = document.data ?? {}
  const stranger = strangerOf(id)
  return {
    name: typeof title === 'string' ? title : stranger.name,
    email: typeof email === 'string' && email !== '' ? email : stranger.email,
  }
}

function strangerOf(actor: string): { name: string; email: string } {
  return { name: ACTORS[actor] ?? actor, email: `${actor}@rm3.invalid` }
}
