import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Viewer } from '../../access/viewer.ts'
import { rightsOf } from './rights-of.ts'
import type { Head } from './shared-head.ts'

/** A page as it was sent, for everyone who is not logged in. */
export interface KeptPage {
  readonly html: Buffer
  /** Of the bytes; without quotes. */
  readonly etag: string
}

interface Entry extends KeptPage {
  readonly position: number
  readonly epoch: string
  readonly rights: string
}

const KEPT_MAX_BYTES = 64 * 1024 * 1024
/** What an entry takes besides its bytes and its key, roughly. */
const ENTRY_BYTES = 500
/**
 * Pages in memory, the least lately asked for forgotten first. An entry is right as long as the log has not grown since the page was
 * read and whoever asks may see the same.
 */
export class KeptPages {
  readonly #entries = new LRUCache<string, Entry>({
    maxSize: KEPT_MAX_BYTES,
    sizeCalculation: ({ html }, url) => html.length + url.length * 2 + ENTRY_BYTES,
  })

  /** @param head as read after the question came */
  find(url: string, head: Head, viewer: Viewer): KeptPage | null {
    const entry = this.#entries.get(url)
    if (entry === undefined) return null
    const { position, epoch, rights } = entry
    const right = position === head.position && epoch === head.epoch && rights === rightsOf(viewer)
    return right ? entry : null
  }

  /** @param head as read before anything of the page was */
  keep(url: string, head: Head, viewer: Viewer, page: KeptPage): void {
    const { position, epoch } = head
    this.#entries.set(url, { ...page, position, epoch, rights: rightsOf(viewer) })
  }
}

/** HTML as bytes, with the ETag that follows from them. */
export function pageOfHtml(text: string): KeptPage {
  const html = Buffer.from(text)
  return { html, etag: createHash('sha256').update(html).digest('base64url').slice(0, 22) }
}
