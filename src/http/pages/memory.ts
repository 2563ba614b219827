import type { Account } from '../../../projections/accounts.ts'
import type { Viewer } from '../../access/viewer.ts'
import type { Site } from '../../commands/change.ts'
import { findNamedPages, type NamedPage } from '../../queries/named-pages.ts'
import { listPeople, type People } from '../../queries/people.ts'
import type { Around } from './around.ts'
import { rightsOf } from './rights-of.ts'
import type { Head } from './shared-head.ts'

/** What pages have in common for those who may see the same, as it is at one position of the log. */
export interface Memory {
  around: Promise<Around> | null
  /** By path; null: not there, or not for these viewers. */
  readonly named: Map<string, NamedPage | null>
  /** By entity id; null: no user, or gone. */
  readonly people: Map<string, Account | null>
}

const RIGHTS_MAX = 200
const KNOWN_MAX = 20_000

/** Memories of the newest position that was seen; all is forgotten when the log grows. */
export class Memories {
  #position = -1
  #epoch = ''
  readonly #byRights = new Map<string, Memory>()

  /** @param head as read after the request came: what is remembered is never older */
  at(head: Head, viewer: Viewer): Memory {
    const { position, epoch } = head
    if (epoch === this.#epoch && position < this.#position) return newMemory()
    if (epoch !== this.#epoch || position !== this.#position || this.#byRights.size > RIGHTS_MAX) {
      this.#byRights.clear()
      this.#position = position
      this.#epoch = epoch
    }
    const rights = rightsOf(viewer)
    const known = this.#byRights.get(rights) ?? newMemory()
    this.#byRights.set(rights, known)
    return known
  }
}

/** A memory that is nobody else's. */
export function newMemory(): Memory {
  return { around: null, named: new Map(), people: new Map() }
}

/** As `findNamedPages` now, asking only for what is not remembered. */
export async function recallNamed(
  memory: Memory,
  site: Site,
  viewer: Viewer,
  paths: readonly string[],
): Promise<Map<string, NamedPage>> {
  const missing = paths.filter(path => !memory.named.has(path))
  const found = await findNamedPages(site, viewer, missing, null)
  if (memory.named.size > KNOWN_MAX) memory.named.clear()
  for (const path of missing) memory.named.set(path, found.get(path) ?? null)
  for (const path of paths) {
    const page = memory.named.get(path)
    if (page) found.set(path, page)
  }
  return found
}

/** As `listPeople`, asking only for who is not remembered. */
export async function recallPeople(
  memory: Memory,
  site: Site,
  actors: Iterable<string>,
): Promise<People> {
  const wanted = [...new Set(actors)]
  const missing = wanted.filter(actor => !memory.people.has(actor))
  const found = new Map(await listPeople(site.db, missing))
  if (memory.people.size > KNOWN_MAX) memory.people.clear()
  for (const actor of missing) memory.people.set(actor, found.get(actor) ?? null)
  for (const actor of wanted) {
    const account = memory.people.get(actor)
    if (account) found.set(actor, account)
  }
  return found
}
