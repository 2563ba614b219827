import { LRUCache } from 'lru-cache'
import { parentPath, pathsAbove } from '../../content/path.ts'
import type { Db } from '../../pg/db.ts'
import { listChangedPaths } from '../../queries/changed-paths.ts'
import type { Head } from './shared-head.ts'

/** Events that are looked through one by one; after more, everything counts as changed. */
const EVENTS_MAX = 500
const MARKS_MAX = 50_000

/** The page at a path: what it says, whether it is there, its files. */
export const ofPage = (path: string): string => `page ${path}`
/** The pages directly below a path. */
export const ofChildren = (path: string): string => `children ${path}`
/** All pages below a path. */
export const ofBelow = (path: string): string => `below ${path}`

/**
 * Which parts of the site changed when, as far as this process has looked: so that a page can be right still though the log has
 * grown. Rights are not among it.
 */
export class Changes {
  readonly #db: Db
  /** Marks are complete from `#floor` up to here. */
  #known = -1
  #floor = -1
  #epoch = ''
  #looking: Promise<void> | null = null
  readonly #marks = new LRUCache<string, number>({
    max: MARKS_MAX,
    dispose: (position, _part, reason) => {
      if (reason === 'evict') this.#floor = Math.max(this.#floor, position)
    },
  })

  constructor(db: Db) {
    this.#db = db
  }

  /** Whether none of the parts changed after `position` and up to `head`. */
  async isUnchanged(parts: readonly string[], position: number, head: Head): Promise<boolean> {
    while (this.#known < head.position || this.#epoch !== head.epoch) {
      this.#looking ??= this.#look(head).finally(() => {
        this.#looking = null
      })
      await this.#looking
    }
    if (position < this.#floor) return false
    return parts.every(part => (this.#marks.get(part) ?? -1) <= position)
  }

  async #look({ position, epoch }: Head): Promise<void> {
    if (epoch !== this.#epoch || this.#known < 0 || position - this.#known > EVENTS_MAX) {
      return this.#forget(position, epoch)
    }
    const range = { after: this.#known, upTo: position }
    const { paths, settings } = await listChangedPaths(this.#db, range)
    if (settings) return this.#forget(position, epoch)
    for (const path of paths) {
      const above = pathsAbove(path).map(ofBelow)
      for (const part of [ofPage(path), ofChildren(parentPath(path) ?? ''), ...above]) {
        this.#marks.set(part, position)
      }
    }
    this.#known = position
  }

  #forget(position: number, epoch: string): void {
    this.#marks.clear()
    this.#floor = position
    this.#known = position
    this.#epoch = epoch
  }
}
