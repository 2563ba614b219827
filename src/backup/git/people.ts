import { derivedId } from '../../commands/derived-id.ts'
import type { ImportedEvent } from '../../commands/import.ts'
import { SYSTEM } from '../../content/events.ts'
import { TITLE_MAX } from '../../content/limits.ts'
import { USERS_PATH } from '../../content/path.ts'
import { labelFromTitle } from '../../content/slug.ts'
import type { Commit } from './commits.ts'
import { instantOf } from './telling.ts'

/** Who is in the site already. */
export interface KnownPeople {
  /** The user with an e-mail address; null when there is none. */
  findUser(email: string): Promise<string | null>
  /** Whether a page is at a path. */
  isTaken(path: string): boolean
}

/** Authors of commits as users of the site: one for each e-mail address, whom nobody can log in as before a password is set. */
export class People {
  readonly #known: KnownPeople
  readonly #ids = new Map<string, string>()
  readonly #introduced = new Set<string>()
  readonly #labels = new Set<string>()

  constructor(known: KnownPeople) {
    this.#known = known
  }

  /** The id of a commit's author as a user. */
  async idOf({ author }: Commit): Promise<string> {
    const key = keyOf(author)
    const email = emailOf(author)
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const found = email === '' ? null : await this.#known.findUser(email)
    const id = found ?? derivedId('git author', key)
    this.#ids.set(key, id)
    if (found !== null) this.#introduced.add(id)
    return id
  }

  /** The event that makes a user of a commit's author, the first time; [] for one who is there. */
  async introduce(commit: Commit): Promise<ImportedEvent[]> {
    const id = await this.idOf(commit)
    if (this.#introduced.has(id)) return []
    this.#introduced.add(id)
    return [this.#userOf(id, emailOf(commit.author), commit)]
  }

  #userOf(id: string, email: string, { id: commit, author, authored }: Commit): ImportedEvent {
    const name = author.name.replace(/\s+/g, ' ').trim() || email.split('@')[0] || 'Unknown'
    const label = labelFromTitle(
      name,
      it => this.#labels.has(it) || this.#known.isTaken(`${USERS_PATH}.${it}`),
    )
    this.#labels.add(label)
    const document = {
      proto: 'user',
      hidden: false,
      summary: { title: name.slice(0, TITLE_MAX).toWellFormed(), abstract: '', profileUrl: '' },
      data: { ...(email !== '' && { email }) },
      tags: {},
    }
    return {
      type: 'PageCreated',
      stream: id,
      data: { path: `${USERS_PATH}.${label}`, document },
      eventId: derivedId('git user', id),
      actor: SYSTEM,
      at: instantOf(authored),
      note: null,
      meta: { import: { from: 'git', commit } },
    }
  }
}

function emailOf({ email }: Commit['author']): string {
  return email.trim().toLowerCase()
}

function keyOf(author: Commit['author']): string {
  return emailOf(author) || `name ${author.name.trim()}`
}
