import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { SiteCommit } from './told-commits.ts'
import { messageOf, type ToldEvent, type ToldType } from './trailers.ts'

/** Gives the bytes of a page's file. @throws BLOB_MISSING */
export type OpenBlob = (blob: {
  readonly sha256: string
  readonly category: 'public' | 'private'
}) => Promise<{ readonly stream: Readable; readonly sizeBytes: number }>

const COMMITTER = 'rm3 <rm3@rm3.invalid>'
const TITLES: Readonly<Record<ToldType, string>> = {
  PageCreated: 'Create',
  PageRevised: 'Change',
  PageMoved: 'Move to',
  PageDeleted: 'Delete',
  PageUndeleted: 'Bring back',
  BlobAttached: 'Add',
  BlobDetached: 'Take away',
}

/**
 * Writes commits as `git fast-import` reads them. The same commits are the same bytes, and so the same ids, every time.
 */
export class FastImport {
  readonly #out: Writable
  readonly #openBlob: OpenBlob
  readonly #ref: string
  /** Files of pages that were written, by their hash. */
  readonly #marks = new Map<string, number>()
  #last = 0
  commits = 0

  constructor(out: Writable, ref: string, openBlob: OpenBlob) {
    this.#out = out
    this.#ref = ref
    this.#openBlob = openBlob
  }

  async write({ author, told, files }: SiteCommit): Promise<void> {
    for (const blob of files.values()) {
      if (blob !== null && typeof blob !== 'string') await this.#writeBlob(blob)
    }
    const lines = [
      `commit ${this.#ref}`,
      `author ${fit(author.name) || 'unknown'} <${fit(author.email)}> ${dateOf(told.at)}`,
      `committer ${COMMITTER} ${dateOf(told.recordedAt)}`,
    ]
    await this.#put(`${lines.join('\n')}\n`)
    await this.#putData(messageOf(told, titleOf(told.events)))
    // what goes makes room first: a file may come to where another was
    for (const [file, content] of files)
      if (content === null) await this.#put(`D ${quoted(file)}\n`)
    for (const [file, content] of files) {
      if (content === null) continue
      if (typeof content === 'string') {
        await this.#put(`M 100644 inline ${quoted(file)}\n`)
        await this.#putData(content)
      } else await this.#put(`M 100644 :${this.#marks.get(content.sha256)} ${quoted(file)}\n`)
    }
    await this.#put('\n')
    this.commits++
  }

  async #writeBlob(blob: Parameters<OpenBlob>[0]): Promise<void> {
    if (this.#marks.has(blob.sha256)) return
    const { stream, sizeBytes } = await this.#openBlob(blob)
    this.#marks.set(blob.sha256, ++this.#last)
    await this.#put(`blob\nmark :${this.#last}\ndata ${sizeBytes}\n`)
    for await (const bytes of stream) await this.#put(bytes as Buffer)
    await this.#put('\n')
  }

  async #putData(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    await this.#put(`data ${bytes.length}\n`)
    await this.#put(bytes)
    await this.#put('\n')
  }

  async #put(bytes: string | Buffer): Promise<void> {
    if (!this.#out.write(bytes)) await once(this.#out, 'drain')
  }
}

/** What was done to the first page, and how many more there are. */
function titleOf(events: readonly ToldEvent[]): string {
  const [first] = events
  const files = new Set(events.map(({ data }) => String(data['file'])))
  const more = files.size > 1 ? ` and ${files.size - 1} more` : ''
  return `${TITLES[first?.type ?? 'PageRevised']} ${first?.data['file'] ?? ''}${more}`
}

/** Seconds and zone; git knows none before 1970. The exact instant is in the trailers. */
function dateOf(instant: string): string {
  return `${Math.max(0, Math.floor(Date.parse(instant) / 1000))} +0000`
}

/** What git's lines can carry. */
function fit(text: string): string {
  return text.replace(/[<>\p{Cc}]/gu, ' ').trim()
}

/** A name as fast-import reads it. */
function quoted(file: string): string {
  return `"${file.replace(/["\\]/g, '\\$&')}"`
}
