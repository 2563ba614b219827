import { derivedId } from '../../commands/derived-id.ts'
import type { ImportedEvent } from '../../commands/import.ts'
import type { EventType, Payloads } from '../../content/events.ts'
import type { Commit } from './commits.ts'
import type { GitPage } from './pages.ts'

/** Longer messages are cut; nobody wrote them. */
const NOTE_MAX = 65_536
const FIRST_INSTANT = Date.parse('0001-01-01T00:00:00.000Z')
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z')

/** The events of one commit. Ids follow from where they go, the commit and the page, so that the same history gives the same ones. */
export class Telling {
  readonly events: ImportedEvent[] = []
  readonly #scope: string
  readonly #commit: Commit
  readonly #actor: string

  /** @param scope the place in the site: one history may be loaded at two */
  constructor(scope: string, commit: Commit, actor: string) {
    this.#scope = scope
    this.#commit = commit
    this.#actor = actor
  }

  /** The id of a page that this commit makes. @param what says which */
  newId(what: string): string {
    return derivedId('git page', this.#scope, this.#commit.id, what)
  }

  /** Records an event of a page. @param file goes to the event's `meta` */
  tell<T extends EventType>(page: GitPage, type: T, data: Payloads[T], file: string | null): void {
    if (page.id === null) throw new Error('the page has no id yet')
    const { id: commit, message, authored } = this.#commit
    page.revision++
    this.events.push({
      type,
      stream: page.id,
      data,
      eventId: derivedId('git event', this.#scope, commit, page.id, String(page.revision)),
      actor: this.#actor,
      at: instantOf(authored),
      note: noteOf(message),
      meta: { import: { from: 'git', commit, ...(file !== null && { file }) } },
    } as unknown as ImportedEvent)
  }
}

/** A commit's message as a note; null when it has none. */
export function noteOf(message: string): string | null {
  const text = message.replaceAll('\0', '').toWellFormed().trimEnd()
  return text === '' ? null : text.slice(0, NOTE_MAX).toWellFormed()
}

/** Seconds since 1970 as RFC 3339 in UTC with milliseconds; the nearest instant that can be said for one that cannot. */
export function instantOf(seconds: number): string {
  const time = Number.isFinite(seconds) ? seconds * 1000 : 0
  return new Date(Math.min(Math.max(time, FIRST_INSTANT), LAST_INSTANT)).toISOString()
}
