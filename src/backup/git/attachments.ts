import type { StoredBlob } from '../../blobs/store.ts'
import { checkBlobName } from '../../content/decide-blob.ts'
import { labelFromTitle } from '../../content/slug.ts'
import type { Contents } from './contents.ts'
import { type GitPage, isThere } from './pages.ts'
import { folderOf, stemOf } from './places.ts'
import type { Telling } from './telling.ts'

/** A file that belongs to the page of its folder. */
interface Attachment {
  blob: string | null
  /** Where it is now; null: nowhere yet. */
  at: { readonly page: GitPage; readonly name: string; readonly blob: string } | null
}

/** Pictures and other files that are no pages. */
export class Attachments {
  readonly #contents: Contents
  readonly #files = new Map<string, Attachment>()
  readonly #inFolders = new Map<string, Set<string>>()
  readonly #names = new Map<GitPage, Set<string>>()

  constructor(contents: Contents) {
    this.#contents = contents
  }

  /** Whether a file is there. */
  has(file: string): boolean {
    return (this.#files.get(file)?.blob ?? null) !== null
  }

  /** What a file that is there is called at its page, or will be from the next `settle` on, mostly. */
  nameOf(file: string): string {
    return this.#files.get(file)?.at?.name ?? nameIn(file)
  }

  /** Says what a file shall be from the next `settle` on; null: it shall not be there. */
  want(file: string, blob: string | null): void {
    const known = this.#files.get(file)
    if (known) known.blob = blob
    else if (blob !== null) {
      this.#files.set(file, { blob, at: null })
      const folder = folderOf(file)
      const others = this.#inFolders.get(folder) ?? new Set()
      this.#inFolders.set(folder, others.add(file))
    }
  }

  /** Notes a file where it is already. */
  know(file: string, at: NonNullable<Attachment['at']>): void {
    this.want(file, at.blob)
    this.#files.set(file, { blob: at.blob, at })
    const names = this.#names.get(at.page) ?? new Set()
    this.#names.set(at.page, names.add(at.name))
  }

  /** Notes that a file is not there. */
  forget(file: string): void {
    const at = this.#files.get(file)?.at
    if (at) this.#names.get(at.page)?.delete(at.name)
    this.#files.delete(file)
    this.#inFolders.get(folderOf(file))?.delete(file)
  }

  /** A page becomes another that is the same entity. */
  handOver(from: GitPage, to: GitPage): void {
    const names = this.#names.get(from)
    if (names) this.#names.set(to, names)
    this.#names.delete(from)
    for (const attachment of this.#files.values()) {
      if (attachment.at?.page === from) attachment.at = { ...attachment.at, page: to }
    }
  }

  /** Takes all files from a page that is about to go: it might come back without them. */
  release(page: GitPage, telling: Telling): void {
    if (!this.#names.has(page)) return
    for (const [file, attachment] of this.#files) {
      if (attachment.at?.page === page) this.#detach(attachment, file, telling)
    }
  }

  /**
   * Puts every file where it belongs.
   *
   * @param pageOf the page of a folder; null when none can be
   */
  async settle(
    files: readonly string[],
    pageOf: (folder: string) => GitPage | null,
    telling: Telling,
  ): Promise<void> {
    const concerned = new Set(files)
    for (const [folder, names] of this.#inFolders) {
      const page = pageOf(folder)
      for (const file of names) {
        if (this.#files.get(file)?.at?.page !== page) concerned.add(file)
      }
    }
    for (const file of [...concerned].sort()) {
      await this.#settleFile(file, pageOf(folderOf(file)), telling)
    }
  }

  async #settleFile(file: string, page: GitPage | null, telling: Telling): Promise<void> {
    const attachment = this.#files.get(file)
    if (attachment === undefined) return
    const { blob, at } = attachment
    const owner = blob === null ? null : page
    if (at !== null && at.page !== owner) this.#detach(attachment, file, telling)
    if (blob === null) {
      this.#files.delete(file)
      this.#inFolders.get(folderOf(file))?.delete(file)
    } else if (owner !== null && (attachment.at?.blob ?? null) !== blob) {
      const stored = await this.#contents.keep(file, blob)
      if (stored !== null) this.#attach(attachment, { file, page: owner, blob, stored }, telling)
      else if (attachment.at !== null) this.#detach(attachment, file, telling)
    }
  }

  #attach(
    attachment: Attachment,
    { file, page, blob, stored }: { file: string; page: GitPage; blob: string; stored: StoredBlob },
    telling: Telling,
  ): void {
    const name = attachment.at?.name ?? this.#newName(page, file)
    const { sha256, sizeBytes, mediaType } = stored
    const data = { name, sha256, sizeBytes, mediaType, category: 'public' } as const
    telling.tell(page, 'BlobAttached', data, file)
    attachment.at = { page, name, blob }
  }

  #detach(attachment: Attachment, file: string, telling: Telling): void {
    const { at } = attachment
    if (at === null) return
    if (isThere(at.page)) telling.tell(at.page, 'BlobDetached', { name: at.name }, file)
    this.#names.get(at.page)?.delete(at.name)
    attachment.at = null
  }

  #newName(page: GitPage, file: string): string {
    const names = this.#names.get(page) ?? new Set<string>()
    this.#names.set(page, names)
    const own = nameIn(file)
    const name = isBlobName(own) && !names.has(own) ? own : numbered(own, names)
    names.add(name)
    return name
  }
}

function nameIn(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).normalize('NFC')
}

/** A name made of labels, where the file's own cannot be, or is somebody else's. */
function numbered(own: string, names: ReadonlySet<string>): string {
  const suffix = /\.[A-Za-z0-9]{1,8}$/.exec(own)?.[0].toLowerCase() ?? ''
  return labelFromTitle(stemOf(own), label => names.has(label + suffix)) + suffix
}

function isBlobName(name: string): boolean {
  try {
    checkBlobName(name)
    return true
  } catch {
    return false
  }
}
