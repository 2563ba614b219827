import { LRUCache } from 'lru-cache'
import { listRoles } from '../../projections/accounts.ts'
import { listGrants } from '../../projections/grants.ts'
import type { Db } from '../pg/db.ts'
import { type GrantRow, type Viewer, viewerWith } from './viewer.ts'

const VIEWERS_MAX = 2_000
/** Rows that were damaged and mended do not move the position: what was read of them must not stay for longer than this. */
const KEPT_MS = 60_000

/**
 * Rights as of now, kept in memory for as long as they hold: every request reads the position of the last change of rights anyway
 * (`log_head.rights_position`), so a change made by any process counts from the next request on.
 */
export class Rights {
  #position = -1
  #readAt = 0
  #grants: Promise<GrantRow[]> | null = null
  readonly #now: () => number
  readonly #viewers = new LRUCache<string, Promise<Viewer>>({ max: VIEWERS_MAX })

  /** @param now milliseconds on a clock */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /**
   * The viewer that a user, or null for everyone else, is.
   *
   * @param position `rights_position` as read in this request
   */
  viewer(db: Db, position: number, userId: string | null): Promise<Viewer> {
    const isOld = this.#now() - this.#readAt > KEPT_MS
    if (position !== this.#position || isOld) this.#forget(position)
    const key = userId ?? ''
    const known = this.#viewers.get(key)
    if (known) return known
    const viewer = this.#load(db, userId)
    this.#viewers.set(key, viewer)
    viewer.catch(() => this.#viewers.delete(key))
    return viewer
  }

  async #load(db: Db, userId: string | null): Promise<Viewer> {
    this.#grants ??= listGrants(db)
    const grants = this.#grants
    grants.catch(() => this.#forget(-1))
    const roles = userId === null ? [] : await listRoles(db, userId)
    return viewerWith(await grants, roles, userId)
  }

  #forget(position: number): void {
    this.#position = position
    this.#readAt = this.#now()
    this.#grants = null
    this.#viewers.clear()
  }
}
