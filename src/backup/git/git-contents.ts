import { createHash } from 'node:crypto'
import { SNIFF_BYTES, sniffMediaType } from '../../blobs/media-type.ts'
import { type BlobStores, putBlob, type StoredBlob } from '../../blobs/store.ts'
import { BLOB_MAX_BYTES, DOCUMENT_MAX_BYTES } from '../../content/limits.ts'
import { Rm3Error } from '../../errors.ts'
import { CatFile } from './cat-file.ts'
import type { Contents } from './contents.ts'
import { type PageText, pageText } from './page-document.ts'
import type { Repository } from './repository.ts'
import { decodeText } from './texts.ts'

/** Warnings that are kept; more are counted. */
const WARNINGS_MAX = 1_000

/** What a person should know of a file. */
export interface GitWarning {
  readonly file: string
  readonly message: string
}

/** The contents of a repository's files, read by one process of git. */
export class GitContents implements Contents {
  readonly warnings: GitWarning[] = []
  warningCount = 0
  readonly #cat: CatFile
  readonly #stores: BlobStores | null
  readonly #kept = new Map<string, StoredBlob | null>()

  /** @param stores where attachments are kept; null to keep nothing and only say what they are */
  constructor(repository: Repository, stores: BlobStores | null) {
    this.#cat = new CatFile(repository)
    this.#stores = stores
  }

  async text(file: string, blob: string): Promise<PageText | null> {
    const bytes = await this.#cat.read(blob, DOCUMENT_MAX_BYTES)
    const text = bytes === null ? null : pageText(file, bytes)
    if (text === null) {
      this.warn(file, `${blob.slice(0, 12)} is no text, or too large for a page, and was left out`)
    }
    for (const warning of text?.warnings ?? []) this.warn(file, warning)
    return text
  }

  /** The whole text of a file. @throws SOURCE_DAMAGED when it is none, or too large for a page */
  async wholeText(file: string, blob: string): Promise<string> {
    const bytes = await this.#cat.read(blob, 2 * DOCUMENT_MAX_BYTES)
    const { text, encoding } = decodeText(bytes ?? Buffer.of(0xff))
    if (encoding === 'utf-8') return text
    throw new Rm3Error('SOURCE_DAMAGED', `${file} is no text in UTF-8, or too large for a page`, {
      file,
    })
  }

  async keep(
    file: string,
    blob: string,
    category: keyof BlobStores = 'public',
  ): Promise<StoredBlob | null> {
    const key = `${category} ${blob}`
    const known = this.#kept.get(key)
    const stored = known === undefined ? await this.#keepNew(blob, category) : known
    this.#kept.set(key, stored)
    if (stored === null) this.warn(file, `has more than ${BLOB_MAX_BYTES} bytes and was left out`)
    return stored
  }

  /** Notes something, once for a file. */
  warn(file: string, message: string): void {
    const isKnown = this.warnings.some(it => it.file === file && it.message === message)
    if (isKnown) return
    this.warningCount++
    if (this.warnings.length < WARNINGS_MAX) this.warnings.push({ file, message })
  }

  close(): Promise<void> {
    return this.#cat.close()
  }

  async #keepNew(blob: string, category: keyof BlobStores): Promise<StoredBlob | null> {
    const { sizeBytes, bytes } = await this.#cat.open(blob)
    if (sizeBytes <= BLOB_MAX_BYTES) {
      return this.#stores === null ? describe(bytes) : putBlob(this.#stores[category], bytes)
    }
    for await (const _ of bytes);
    return null
  }
}

async function describe(bytes: AsyncIterable<Buffer>): Promise<StoredBlob> {
  const hash = createHash('sha256')
  const head: Buffer[] = []
  let sizeBytes = 0
  for await (const part of bytes) {
    if (sizeBytes < SNIFF_BYTES) head.push(part)
    hash.update(part)
    sizeBytes += part.length
  }
  return { sha256: hash.digest('hex'), sizeBytes, mediaType: sniffMediaType(Buffer.concat(head)) }
}
