import { childPath, isUnder, parentPath, toUrl } from '../../content/path.ts'
import { labelFromTitle } from '../../content/slug.ts'
import { Attachments } from './attachments.ts'
import type { Contents } from './contents.ts'
import { withFileLinks } from './file-links.ts'
import { type FileKind, folderDocument, kindOfFile, type PageText } from './page-document.ts'
import { type GitPage, isThere, newPage } from './pages.ts'
import { folderOf, foldersOf, isIndexFile, Places, stemOf } from './places.ts'
import type { KnownPages, Targets } from './targets.ts'
import type { Telling } from './telling.ts'

/** A page that shall be a file. `text` null: what it says stays. */
interface Coming {
  readonly page: GitPage
  readonly file: string
  readonly blob: string
  readonly text: PageText | null
}

/** A page on its way to a path. */
interface Arrival extends Coming {
  readonly path: string
}

/** The site as far as the history was read, and how each commit changes it. */
export class SiteModel implements KnownPages {
  readonly live = new Map<string, GitPage>()
  readonly deleted = new Map<string, GitPage>()
  readonly #pagesAt = new Map<string, GitPage>()
  /** Pages of folders without a text of their own. */
  readonly #folderPages = new Set<GitPage>()
  readonly #places: Places
  readonly #attachments: Attachments
  readonly #contents: Contents
  readonly #isTaken: (path: string) => boolean

  /**
   * @param base path of the topmost folder
   * @param isTaken whether a page that does not come from here is at a path
   */
  constructor(base: string, contents: Contents, isTaken: (path: string) => boolean) {
    this.#places = new Places(base)
    this.#attachments = new Attachments(contents)
    this.#contents = contents
    this.#isTaken = isTaken
  }

  /** Does what a commit does. Events come in an order in which each path is free when a page comes to it. */
  async apply(targets: Targets, telling: Telling): Promise<void> {
    const coming = await this.#comingOf(targets)
    const files = [...targets.attachments.keys(), ...coming.map(({ file }) => file)]
    const left = this.#leave(targets, telling)
    this.#places.prune([...files, ...left.files])
    for (const [file, blob] of targets.attachments) if (blob !== null) this.#places.enter(file)
    this.#arrive(coming, telling)
    this.#settleFolders([...files, ...left.files], left.paths, telling)
    const pageOf = (folder: string) => this.#pagesAt.get(this.#pathOf(folder)) ?? null
    await this.#attachments.settle([...targets.attachments.keys()], pageOf, telling)
  }

  /** Notes where a page is that was told of otherwise. */
  know(page: GitPage, file: string): void {
    this.#places.enter(file)
    this.live.set(file, page)
    this.#pagesAt.set(page.path, page)
  }

  /** Notes where a page's file is that was told of otherwise. */
  knowFile(file: string, at: { page: GitPage; name: string; blob: string }): void {
    if (!this.#attachments.has(file)) this.#places.enter(file)
    this.#attachments.know(file, at)
  }

  /** Notes that a file that was told of otherwise is not there any more, or will be told of again. */
  forget(file: string): void {
    const page = this.live.get(file)
    if (page === undefined && !this.#attachments.has(file)) return
    this.#places.leave(file)
    this.#places.prune([file])
    this.#attachments.forget(file)
    if (page === undefined) return
    this.live.delete(file)
    this.deleted.set(file, page)
    this.#pagesAt.delete(page.path)
  }

  /** Pages that shall be somewhere, without those whose file can be no page. */
  async #comingOf({ pages }: Targets): Promise<Coming[]> {
    const coming: Coming[] = []
    for (const [page, { file, blob }] of pages) {
      if (file === null || blob === null) continue
      const isSame = page.blob === blob && page.state !== 'none'
      const text = isSame ? null : await this.#contents.text(file, blob)
      if (text !== null || isSame || isThere(page)) coming.push({ page, file, blob, text })
    }
    return coming.sort(inOrder)
  }

  /** Takes away what goes, and from its place what goes elsewhere. */
  #leave({ pages, attachments }: Targets, telling: Telling): { files: string[]; paths: string[] } {
    const files: string[] = []
    const paths: string[] = []
    for (const [page, { file }] of pages) {
      if (!isThere(page) || page.file === null || page.file === file) continue
      files.push(page.file)
      paths.push(page.path)
      this.#places.leave(page.file)
      this.live.delete(page.file)
      this.#pagesAt.delete(page.path)
      if (file === null) this.#remove(page, telling)
    }
    for (const [file, blob] of attachments) {
      if (this.#attachments.has(file)) this.#places.leave(file)
      this.#attachments.want(file, blob)
    }
    return { files, paths }
  }

  #remove(page: GitPage, telling: Telling): void {
    this.#attachments.release(page, telling)
    telling.tell(page, 'PageDeleted', {}, page.file)
    page.state = 'deleted'
    this.#folderPages.delete(page)
    if (page.file !== null) this.deleted.set(page.file, page)
  }

  #arrive(coming: readonly Coming[], telling: Telling): void {
    const arriving = coming.filter(({ page, file }) => !isThere(page) || page.file !== file)
    const arrivals: Arrival[] = []
    for (const { file } of arriving) this.#places.enter(file)
    for (const it of arriving) {
      const { page, file } = it
      const path = this.#places.pathOfFile(file, at => this.#isFree(at))
      this.#takeOver(page, path, telling)
      this.#pagesAt.set(path, page)
      this.live.set(file, page)
      this.deleted.delete(file)
      arrivals.push({ ...it, path })
    }
    movePages(arrivals, telling)
    for (const { page, file, path } of arrivals) {
      if (page.state === 'deleted') undelete(page, file, path, telling)
      page.path = path
    }
    for (const it of coming) say(this.#linked(it), telling)
  }

  /** A page with where its links to other files lead, now that each is where it is after the commit. */
  #linked(it: Coming): Coming {
    if (it.text === null) return it
    const document = withFileLinks(it.text.document, it.file, name => this.#urlOf(name))
    return { ...it, text: { ...it.text, document } }
  }

  /** Where a file or a folder is on the site; of a page's file that is not there yet, where it will be, mostly. */
  #urlOf(name: string): string | null {
    const file = [name, ...SUFFIXES_LEFT_OUT.map(suffix => name + suffix)].find(it =>
      this.live.has(it),
    )
    const page = file === undefined ? undefined : this.live.get(file)
    if (page !== undefined) return urlOn(page.path)
    const folder = folderOf(name)
    if (this.#attachments.has(name)) {
      const url = urlOn(this.#pathOf(folder))
      return url && `${url}$file/${encodeURIComponent(this.#attachments.nameOf(name))}`
    }
    const path = this.#places.pathOfFolder(name)
    if (path !== null) return urlOn(path)
    const parent = this.#places.pathOfFolder(folder)
    if (parent === null || !PAGE_KINDS.has(kindOfFile(name))) return null
    if (isIndexFile(name)) return urlOn(parent)
    return urlOn(
      childPath(
        parent,
        labelFromTitle(stemOf(name), () => false),
      ),
    )
  }

  /** A folder's own page gives way; to a page that is new it gives itself. */
  #takeOver(page: GitPage, path: string, telling: Telling): void {
    const there = this.#pagesAt.get(path)
    if (there === undefined) return
    if (page.state !== 'none') {
      this.#remove(there, telling)
      return
    }
    const { id, state, revision, tip } = there
    Object.assign(page, { id, state, revision, tip, path })
    this.#folderPages.delete(there)
    this.#attachments.handOver(there, page)
  }

  #isFree(path: string): boolean {
    const there = this.#pagesAt.get(path)
    return (there === undefined || this.#folderPages.has(there)) && !this.#isTaken(path)
  }

  #pathOf(folder: string): string {
    return this.#places.pathOfFolder(folder) ?? ''
  }

  /** A folder with files has a page; one of its own goes with the last file. */
  #settleFolders(files: readonly string[], paths: readonly string[], telling: Telling): void {
    const folders = [...new Set(files.flatMap(foldersOf))]
    const concerned = new Set([...folders.map(folder => this.#pathOf(folder)), ...paths])
    for (const path of [...concerned].sort()) {
      const folder = this.#places.folderAt(path)
      if (folder === null || this.#pagesAt.has(path) || this.#isTaken(path)) continue
      this.#createFolder(folder, path, telling)
    }
    for (const page of this.#folderPages) {
      if (this.#places.folderAt(page.path) !== null) continue
      this.#pagesAt.delete(page.path)
      this.#remove(page, telling)
    }
  }

  #createFolder(folder: string, path: string, telling: Telling): void {
    const id = telling.newId(`${folder}/`)
    const page: GitPage = { ...newPage(null), id, path, state: 'live' }
    const document = folderDocument(folder.split('/').at(-1) || 'Home')
    telling.tell(page, 'PageCreated', { path, document }, null)
    page.tip = page.revision
    this.#pagesAt.set(path, page)
    this.#folderPages.add(page)
  }
}

const PAGE_KINDS: ReadonlySet<FileKind> = new Set(['markdown', 'html', 'text'])
/** Links are written without them too. */
const SUFFIXES_LEFT_OUT = ['.md', '.html']

/** null for a path that no address is of. */
function urlOn(path: string): string | null {
  return isUnder(path, 'wh') ? toUrl(path) : null
}

/** The page of a folder first, so that it gets the folder's path; then by name. */
function inOrder(one: Coming, other: Coming): number {
  const byIndex = Number(isIndexFile(other.file)) - Number(isIndexFile(one.file))
  return byIndex || (one.file < other.file ? -1 : 1)
}

/** Moves pages so that each path is free when one comes to it; of those that change places one steps aside. */
function movePages(arrivals: readonly Arrival[], telling: Telling): void {
  let waiting = arrivals.filter(({ page, path }) => isThere(page) && page.path !== path)
  while (waiting.length > 0) {
    const left = new Set(waiting.map(({ page }) => page.path))
    const ready = waiting.filter(({ path }) => !left.has(path))
    for (const { page, file, path } of ready) move(page, file, path, telling)
    if (ready.length === 0) {
      const { page, file } = waiting[0] as Arrival
      move(
        page,
        file,
        childPath(parentPath(page.path) ?? page.path, `moving_${page.revision}`),
        telling,
      )
    }
    waiting = waiting.filter(it => !ready.includes(it))
  }
}

function move(page: GitPage, file: string, to: string, telling: Telling): void {
  telling.tell(page, 'PageMoved', { from: page.path, to }, file)
  page.path = to
}

function undelete(page: GitPage, file: string, path: string, telling: Telling): void {
  telling.tell(page, 'PageUndeleted', { path }, file)
  page.state = 'live'
}

function say({ page, file, blob, text }: Coming, telling: Telling): void {
  page.file = file
  page.blob = blob
  if (text === null) return
  const { document, isDraft } = text
  const draft = isDraft ? ({ draft: true } as const) : {}
  if (page.state === 'none') {
    page.id = telling.newId(file)
    telling.tell(page, 'PageCreated', { path: page.path, document, ...draft }, file)
    page.state = isDraft ? 'draft' : 'live'
  } else {
    telling.tell(page, 'PageRevised', { base: page.tip, document, ...draft }, file)
    if (!isDraft) page.state = 'live'
  }
  page.tip = page.revision
}
