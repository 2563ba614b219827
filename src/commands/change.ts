import { findIdAtPath, findUnpublishedId } from '../../projections/pages.ts'
import type { Rights } from '../access/rights.ts'
import type { Viewer } from '../access/viewer.ts'
import { GRANTS_STREAM, type NewEvent, SETTINGS_STREAM, type SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import { isUnder } from '../content/path.ts'
import type { Entity, Grants, Settings, State } from '../content/state.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import type { Appended, Appender } from '../log/append.ts'
import type { InlineRow } from '../log/batch.ts'
import type { LogEntry } from '../log/event.ts'
import type { Db } from '../pg/db.ts'
import { violatedConstraint } from '../pg/sqlstate.ts'
import { type InlineProjections, RowSet } from '../projector/inline.ts'
import { prepareEvent } from './log-entry.ts'
import type { States } from './states.ts'

/** A site as the commands see it. */
export interface Site {
  readonly db: Db
  readonly appender: Pick<Appender, 'append'>
  readonly inline: InlineProjections
  readonly states: States
  readonly rights: Rights
  /** Now: RFC 3339, UTC, milliseconds. */
  readonly now: () => string
  /** A new UUID (version 7). */
  readonly newId: () => string
}

/** Through which door a change comes. */
export type Door = 'ui' | 'api' | 'cli' | 'import' | 'worker'

/** Who changes something, and how it is recorded. */
export interface Author {
  readonly viewer: Viewer
  readonly door: Door
  /** The editor's comment. */
  readonly note?: string | null
  /** Goes to the event's `meta` beside the door: the id of the request, of the token. */
  readonly meta?: Readonly<Record<string, unknown>>
  /** When it happened, if not now: an import keeps the original instant. */
  readonly at?: string
  /** An import into an empty site: the instant at which the log shall seem to have taken it. */
  readonly recordedAt?: string
  /** An import's actor, where it is not the viewer. */
  readonly actor?: string
  /** The rights position that the viewer's rights are of, when the change shall be refused if they have changed since. */
  readonly rightsAt?: number | null
  /** Gives the ids of the events in order, so that a repeated request repeats them. */
  readonly eventId?: (index: number) => string
}

/** What a change wrote. */
export interface Written<Result> {
  readonly result: Result
  /** Position of the last event; null when nothing had to be written. */
  readonly position: number | null
  readonly events: readonly SiteEvent[]
  /** Whether the same event ids were in the log already. */
  readonly repeated: boolean
}

const TRIES_MAX = 8

/**
 * Runs `work`, which loads states and records events, and appends all of them at once: all or nothing. When another writer was
 * faster it runs again on the new state; so it does when a state that was only remembered made it refuse or do nothing, for another
 * process may have changed that.
 *
 * @throws what `work` throws; PATH_TAKEN; RIGHTS_CHANGED (since `author.rightsAt`); REVISION_CONFLICT or TREE_CHANGED when others were faster `TRIES_MAX` times
 */
export async function change<Result>(
  site: Site,
  author: Author,
  work: (change: Change) => Promise<Result>,
): Promise<Written<Result>> {
  for (let tries = 1; ; tries++) {
    const attempt = new Change(site, author, tries === 1)
    try {
      const result = await work(attempt)
      const written = await attempt.commit()
      if (written.events.length > 0 || !attempt.hasRemembered) return { result, ...written }
    } catch (thrown) {
      const again = isRace(thrown) || (attempt.hasRemembered && isRm3Error(thrown))
      if (!again || tries === TRIES_MAX) throw thrown
    } finally {
      attempt.forgetUnwritten()
    }
  }
}

function isRace(thrown: unknown): boolean {
  return isRm3Error(thrown, 'REVISION_CONFLICT') || isRm3Error(thrown, 'TREE_CHANGED')
}

/** States read and events recorded on the way to one append. */
export class Change {
  readonly site: Site
  readonly author: Author
  readonly #states = new Map<string, State | null>()
  readonly #events: SiteEvent[] = []
  readonly #entries: LogEntry[] = []
  readonly #rows: RowSet
  readonly #emptied = new Set<string>()
  readonly #changed = new Set<string>()
  readonly #paths = new Set<string>()
  readonly #remembers: boolean
  #hasRemembered = false
  #isSent = false
  #isKept = false

  /** @param remembers whether states that were kept in memory will do */
  constructor(site: Site, author: Author, remembers = true) {
    this.site = site
    this.author = author
    this.#remembers = remembers
    this.#rows = new RowSet(site.inline)
  }

  /** Whether what was decided, and not yet sent to the log, rests on a state that was only remembered. */
  get hasRemembered(): boolean {
    return this.#hasRemembered && !this.#isSent
  }

  get viewer(): Viewer {
    return this.author.viewer
  }

  /** An entity with what this change has recorded so far; null when there is none, also for the site's own streams. */
  async entity(id: string): Promise<Entity | null> {
    if (id === GRANTS_STREAM || id === SETTINGS_STREAM) return null
    return (await this.#state(id)) as Entity | null
  }

  /** The entity that is live at a path, with what this change has recorded so far; or null. */
  async liveIdAt(path: string): Promise<string | null> {
    const changed = this.#changedAt('live', path)
    if (changed !== null) return changed
    const remembered = this.#remembers ? this.site.states.rememberedIdAt(path) : null
    if (remembered !== null) this.#hasRemembered = true
    return this.#unlessChanged(remembered ?? (await findIdAtPath(this.site.db, path)))
  }

  /** The entity that has only drafts for a path, with what this change has recorded so far; or null. */
  async draftIdAt(path: string): Promise<string | null> {
    const id = this.#changedAt('draft', path)
    return id ?? this.#unlessChanged(await findUnpublishedId(this.site.db, path))
  }

  async grants(): Promise<Grants | null> {
    return (await this.#state(GRANTS_STREAM)) as Grants | null
  }

  async settings(): Promise<Settings | null> {
    return (await this.#state(SETTINGS_STREAM)) as Settings | null
  }

  /**
   * Adds events; their streams must have been asked for before.
   *
   * @param author whose they are, where an import has several in one append
   */
  record(events: readonly NewEvent[], author: Author = this.author): void {
    for (const event of events) this.#recordOne(event, author)
  }

  /** The entities at a path and below that this change has recorded something of, but for deleted ones. */
  changedIdsUnder(path: string): string[] {
    return [...this.#changed].filter(id => {
      const entity = this.#states.get(id)
      return entity?.kind === 'entity' && entity.state !== 'deleted' && isUnder(entity.path, path)
    })
  }

  /** Has the database refuse the append with TREE_CHANGED when in the end a live page that this change did not put there is at or below `path`. */
  leaveNothingAt(path: string): void {
    this.#emptied.add(path)
  }

  /** The events recorded so far. */
  get events(): readonly SiteEvent[] {
    return this.#events
  }

  async commit(): Promise<Omit<Written<never>, 'result'>> {
    if (this.#entries.length === 0) return { position: null, events: [], repeated: false }
    this.#isSent = true
    const appended = await this.#append()
    if (!appended.repeated) {
      for (const [stream, state] of this.#states) if (state) this.site.states.keep(stream, state)
      this.#isKept = true
    }
    const events = this.#events.map((event, index) => ({
      ...event,
      position: appended.position + index,
    }))
    return { position: events.at(-1)?.position ?? null, events, repeated: appended.repeated }
  }

  /** Unless it was written: drops what is remembered of the states this change saw, for it may be behind. */
  forgetUnwritten(): void {
    if (this.#isKept) return
    for (const stream of this.#states.keys()) this.site.states.forget(stream)
  }

  #checkOf(path: string): InlineRow {
    const except = this.changedIdsUnder(path)
    return { writer: 'verify_nothing_at', row: { path, except } }
  }

  #changedAt(state: Entity['state'], path: string): string | null {
    for (const id of this.#changed) {
      const entity = this.#states.get(id)
      if (entity?.kind === 'entity' && entity.state === state && entity.path === path) return id
    }
    return null
  }

  #unlessChanged(id: string | null): string | null {
    return id !== null && this.#changed.has(id) ? null : id
  }

  async #state(stream: string): Promise<State | null> {
    const known = this.#states.get(stream)
    if (known !== undefined) return known
    const { db, states } = this.site
    const remembered = this.#remembers ? states.remembered(stream) : null
    if (remembered !== null) this.#hasRemembered = true
    const state = remembered ?? (await states.newest(db, stream))
    this.#states.set(stream, state)
    return state
  }

  #recordOne(event: NewEvent, author: Author): void {
    const before = this.#states.get(event.stream)
    if (before === undefined) throw new Error(`the state of ${event.stream} was not asked for`)
    const revision = (before?.revision ?? 0) + 1
    const place = { event, index: this.#entries.length, revision }
    const prepared = prepareEvent(this.site, author, place)
    const after = evolve(before, prepared.event)
    this.#states.set(event.stream, after)
    this.#changed.add(event.stream)
    this.#notePaths(livePathOf(before), livePathOf(after))
    this.#rows.add({ before, event: prepared.event, after })
    this.#events.push(prepared.event)
    this.#entries.push(prepared.entry)
  }

  #notePaths(before: string | null, after: string | null): void {
    if (before === after) return
    if (before !== null) this.#paths.add(before)
    if (after !== null) this.#paths.add(after)
  }

  async #append(): Promise<Appended> {
    const checks = [...this.#emptied].map(path => this.#checkOf(path))
    try {
      return await this.site.appender.append({
        entries: this.#entries,
        rows: [...this.#rows.encode(), ...checks],
        versions: this.site.inline.versions,
        paths: this.#paths,
        rights: this.#rows.rights,
        rightsAt: this.author.rightsAt ?? null,
      })
    } catch (thrown) {
      throw violatedConstraint(thrown) === 'pages_path' ? pathTaken(thrown) : thrown
    }
  }
}

/** Where readers find an entity; null when they do not. */
function livePathOf(state: State | null): string | null {
  return state?.kind === 'entity' && state.state === 'live' ? state.path : null
}

function pathTaken(cause: unknown): Rm3Error {
  const detail = String((cause as { detail?: string }).detail ?? '')
  const path = /\)=\((.*)\)/.exec(detail)?.[1] ?? ''
  return new Rm3Error('PATH_TAKEN', `another page is at ${path || 'that path'}`, { path, cause })
}
