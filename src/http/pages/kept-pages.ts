import { LRUCache } from 'lru-cache'
import type { Viewer } from '../../access/viewer.ts'
import { etagOf } from '../reply.ts'
import type { Changes } from './changes.ts'
import { rightsOf } from './rights-of.ts'
import type { Head } from './shared-head.ts'

/** A page as it was sent, for everyone who is not logged in. */
export interface KeptPage {
  readonly html: Buffer
  /** Of the bytes; without quotes. */
  readonly etag: string
}

interface Entry extends KeptPage {
  /** As of when it is known to be right. */
  position: number
  /** What is shown on it (see `changes.ts`); null: too much to say. */
  readonly parts: readonly string[] | null
  readonly epoch: string
  readonly rights: string
}

const KEPT_MAX_BYTES = 64 * 1024 * 1024
/** What an entry takes besides its bytes and its key, roughly. */
const ENTRY_BYTES = 500
const PART_BYTES = 40
/**
 * Pages in memory, the least lately asked for forgotten first. An entry is right as long as nothing that it shows has changed since it
 * was read and whoever asks may see the same.
 */
export class KeptPages {
  readonly #changes: Changes
  readonly #entries = new LRUCache<string, Entry>({
    maxSize: KEPT_MAX_BYTES,
    sizeCalculation: ({ html, parts }, url) =>
      html.length + (url.length + (parts?.length ?? 0) * PART_BYTES) * 2 + ENTRY_BYTES,
  })

  constructor(changes: Changes) {
    this.#changes = changes
  }

  /** @param head as read after the question came */
  async find(url: string, head: Head, viewer: Viewer): Promise<KeptPage | null> {
    const entry = this.#entries.get(url)
    if (entry === undefined || entry.epoch !== head.epoch) return null
    if (entry.rights !== rightsOf(viewer)) return null
    const { position, parts } = entry
    if (position >= head.position) return position === head.position ? entry : null
    if (parts === null || !(await this.#changes.isUnchanged(parts, position, head))) return null
    entry.position = Math.max(entry.position, head.position)
    return entry
  }

  /**
   * @param head as read before anything of the page was
   * @param parts what is shown on it; null: it is right until the log grows
   */
  keep(
    url: string,
    { head, viewer, parts }: { head: Head; viewer: Viewer; parts: readonly string[] | null },
    page: KeptPage,
  ): void {
    const { position, epoch } = head
    this.#entries.set(url, { ...page, position, epoch, parts, rights: rightsOf(viewer) })
  }
}

/** HTML as bytes, with the ETag that follows from them. */
export function pageOfHtml(text: string): KeptPage {
  const html = Buffer.from(text)
  return { html, etag: etagOf(html) }
}
