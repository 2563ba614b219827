import type { Commit, FileChange } from './commits.ts'
import type { Lineages, Tree, TreeFile } from './lineage.ts'
import { type FileKind, kindOfFile } from './page-document.ts'
import { type GitPage, newPage } from './pages.ts'

/** What a commit makes of pages and attachments: where each shall be and what it shall say. */
export interface Targets {
  /** `file` null: it shall not be there. */
  readonly pages: Map<GitPage, { readonly file: string | null; readonly blob: string | null }>
  /** Attachments by file; null: it shall not be there. */
  readonly attachments: Map<string, string | null>
}

/** Pages by the files they are now, and those that were deleted by the files they were. */
export interface KnownPages {
  readonly live: ReadonlyMap<string, GitPage>
  readonly deleted: ReadonlyMap<string, GitPage>
}

/**
 * Turns commits, parents first, into what each does to the site.
 *
 * A commit with one parent does what it did to its parent's files. A commit beside the main line leaves alone where a page is when that was
 * changed by others meanwhile. A merge says what in it differs from all its parents; one on the main line makes everything as it
 * is in its tree. So after each commit of the main line the site is exactly that commit's tree.
 */
export class Targeter {
  readonly #lineages: Lineages
  readonly #known: KnownPages
  /** Since the last commit of the main line. */
  #dirtyPages = new Set<GitPage>()
  #dirtyFiles = new Set<string>()

  constructor(lineages: Lineages, known: KnownPages) {
    this.#lineages = lineages
    this.#known = known
  }

  /**
   * @param isMain whether the commit is on the main line
   * @param isMerge whether its other parents are looked at
   */
  targetsOf(commit: Commit, { isMain, isMerge }: { isMain: boolean; isMerge: boolean }): Targets {
    const { tree, others } = this.#lineages.treesOf(commit)
    const targets = isMerge
      ? this.#ofMerge(commit, tree, others, isMain)
      : this.#ofChanges(commit, tree, isMain)
    this.#lineages.keep(commit, tree)
    this.#note(targets, isMain)
    return targets
  }

  #note({ pages, attachments }: Targets, isMain: boolean): void {
    if (isMain) {
      this.#dirtyPages = new Set()
      this.#dirtyFiles = new Set()
      return
    }
    for (const page of pages.keys()) this.#dirtyPages.add(page)
    for (const file of attachments.keys()) this.#dirtyFiles.add(file)
  }

  #ofChanges({ changes }: Commit, tree: Tree, isMain: boolean): Targets {
    const targets: Targets = { pages: new Map(), attachments: new Map() }
    const before = takenOut(tree, changes)
    for (const change of changes) this.#ofChange(change, { before, tree, targets, isMain })
    return targets
  }

  #ofChange(
    change: FileChange,
    {
      before,
      tree,
      targets,
      isMain,
    }: { before: Tree; tree: Tree; targets: Targets; isMain: boolean },
  ): void {
    const { file, from, blob } = change
    const was = before.get(file)
    const moved = from === null ? undefined : before.get(from)
    const kind = blob === null ? 'other' : was?.page ? pageKindOf(file) : kindOfFile(file)
    const isPage = kind !== 'other' && kind !== 'attachment'
    if (was && !(isPage && was.page)) drop(targets, file, was)
    if (from !== null && moved && !(isPage && moved.page)) drop(targets, from, moved)
    if (blob === null || kind === 'other') return
    if (!isPage) {
      tree.set(file, { blob, page: null })
      targets.attachments.set(file, blob)
      return
    }
    const known = moved?.page ?? was?.page ?? null
    const page = known ?? this.#pageFor(file)
    tree.set(file, { blob, page })
    const isHere = page.file === (from !== null && moved?.page ? from : file)
    if (page.state === 'deleted' && known !== null && !isMain) return
    targets.pages.set(page, { file: isHere || page.state !== 'live' ? file : page.file, blob })
  }

  #ofMerge({ changes }: Commit, tree: Tree, others: readonly Tree[], isMain: boolean): Targets {
    const targets: Targets = { pages: new Map(), attachments: new Map() }
    const concerned = new Set(this.#dirtyPages)
    const files = new Set(this.#dirtyFiles)
    const before = takenOut(tree, changes)
    for (const [file, { page }] of before) {
      files.add(file)
      if (page) concerned.add(page)
    }
    for (const change of changes) {
      const entry = this.#entryOf(change, before, others)
      if (entry === null) continue
      tree.set(change.file, entry)
      files.add(change.file)
      if (entry.page) concerned.add(entry.page)
      const isOwn = others.every(other => other.get(change.file)?.blob !== entry.blob)
      if (!isMain && isOwn) propose(targets, change.file, entry)
    }
    if (!isMain) return targets
    reconcile(targets, tree, concerned, new Set(changes.map(({ file }) => file)))
    for (const file of files) {
      const entry = tree.get(file)
      targets.attachments.set(file, entry?.page === null ? entry.blob : null)
    }
    return targets
  }

  #entryOf(
    { file, from, blob }: FileChange,
    before: Tree,
    others: readonly Tree[],
  ): TreeFile | null {
    const kind = blob === null ? 'other' : kindOfFile(file)
    if (blob === null || kind === 'other') return null
    if (kind === 'attachment') return { blob, page: null }
    const page =
      before.get(file)?.page ??
      others.map(other => other.get(file)?.page).find(it => it != null) ??
      (from === null ? null : before.get(from)?.page) ??
      this.#pageFor(file)
    return { blob, page }
  }

  /** The page for a file that a line of history has not had: one that another line made there, or one that was deleted, or a new one. */
  #pageFor(file: string): GitPage {
    return this.#known.live.get(file) ?? this.#known.deleted.get(file) ?? newPage(file)
  }
}

/** Pages of rm3 that are more than a text are JSON; otherwise JSON is no page. */
function pageKindOf(file: string): FileKind {
  return file.endsWith('.json') ? 'text' : kindOfFile(file)
}

function drop(targets: Targets, file: string, { page }: TreeFile): void {
  if (page === null) targets.attachments.set(file, null)
  else if (page.file === file && !targets.pages.has(page)) {
    targets.pages.set(page, { file: null, blob: null })
  }
}

/** A merge beside the main line says something of its own. */
function propose(targets: Targets, file: string, { page, blob }: TreeFile): void {
  if (page === null) targets.attachments.set(file, blob)
  else if (page.state !== 'deleted') {
    targets.pages.set(page, { file: page.state === 'none' ? file : page.file, blob })
  }
}

/**
 * Every page of concern as it is in the tree. Where two lines of history had one page as two files and both are left, it stays what it was
 * on the main line, and the other file becomes a page of its own.
 *
 * @param changed files that differ from the main line
 */
function reconcile(
  targets: Targets,
  tree: Tree,
  concerned: ReadonlySet<GitPage>,
  changed: ReadonlySet<string>,
): void {
  const places = placesIn(tree, concerned)
  for (const page of concerned) {
    const files = places.get(page) ?? []
    const own = files.find(file => !changed.has(file)) ?? files.find(file => file === page.file)
    const file = own ?? files[0] ?? null
    targets.pages.set(page, { file, blob: file === null ? null : (tree.get(file)?.blob ?? null) })
    for (const other of files) {
      const blob = tree.get(other)?.blob
      if (other === file || blob === undefined) continue
      const separate = newPage(other)
      tree.set(other, { blob, page: separate })
      targets.pages.set(separate, { file: other, blob })
    }
  }
}

/** The files that pages are in a tree. */
function placesIn(tree: Tree, pages: ReadonlySet<GitPage>): Map<GitPage, string[]> {
  const places = new Map<GitPage, string[]>()
  for (const [file, { page }] of tree) {
    if (page === null || !pages.has(page)) continue
    const files = places.get(page)
    if (files) files.push(file)
    else places.set(page, [file])
  }
  return places
}

/** The entries of files that change, which are taken out of the tree. */
function takenOut(tree: Tree, changes: readonly FileChange[]): Tree {
  const taken: Tree = new Map()
  for (const { file, from } of changes) {
    for (const name of from === null ? [file] : [file, from]) {
      const entry = tree.get(name)
      if (entry) taken.set(name, entry)
      tree.delete(name)
    }
  }
  return taken
}
