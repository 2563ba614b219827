import { childPath, depthOf } from '../../content/path.ts'
import { labelFromTitle } from '../../content/slug.ts'
import { FILES_FOLDER } from './site-files.ts'

/** A folder that has files now. */
interface Folder {
  readonly path: string
  files: number
}

/** Deeper folders, or longer paths, are not made: what is in them goes into the last that can be. */
const DEPTH_MAX = 28
const PATH_CHARS_MAX = 880
const INDEX = /^_?(?:index|readme)$/i

/** The folder a file belongs to; '' for the topmost. What is in `_files` belongs to the folder around it. */
export function folderOf(file: string): string {
  const folder = above(file)
  return folder === FILES_FOLDER || folder.endsWith(`/${FILES_FOLDER}`) ? above(folder) : folder
}

function above(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

/** Whether a file is the page of its folder: `index.md`, `README.html`. */
export function isIndexFile(file: string): boolean {
  return INDEX.test(stemOf(file))
}

/** A file's name without its suffix. */
export function stemOf(file: string): string {
  const name = file.slice(file.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(0, dot) : name
}

/**
 * Where files of a repository are as pages: a folder is a path, `index` or `README` is its page, any other file a page below it. Names become
 * labels (`Getting Started.md` → `getting_started`), with a number where two would be the same.
 */
export class Places {
  readonly #folders = new Map<string, Folder>()
  /** Labels of folders that are in use, by the folder they are in. */
  readonly #labels = new Map<string, Map<string, string>>()
  /** Folders that are at a path; mostly one, but for very deep ones. */
  readonly #at = new Map<string, Set<string>>()
  readonly #base: string

  /** @param base path of the topmost folder */
  constructor(base: string) {
    this.#base = base
  }

  /** Notes that there is one more file; its folders get their paths. */
  enter(file: string): void {
    for (const folder of foldersOf(file)) {
      const known = this.#folders.get(folder)
      if (known) known.files++
      else this.#add(folder, this.#newPath(folder))
    }
  }

  /** Notes that a file is gone. Folders without files keep their paths until `prune`. */
  leave(file: string): void {
    for (const folder of foldersOf(file)) {
      const known = this.#folders.get(folder)
      if (known) known.files--
    }
  }

  /** Gives up the folders that were left. @param files that were left */
  prune(files: Iterable<string>): void {
    for (const folder of new Set([...files].flatMap(foldersOf))) {
      if (this.#folders.get(folder)?.files !== 0) continue
      this.#forget(folder)
    }
  }

  /** A folder that is at a path; null when there is none, so that a page made only for it can go. */
  folderAt(path: string): string | null {
    const [folder] = this.#at.get(path) ?? []
    return folder ?? (path === this.#base ? '' : null)
  }

  /** The path of a folder; null when it has no files. */
  pathOfFolder(folder: string): string | null {
    return this.#folders.get(folder)?.path ?? (folder === '' ? this.#base : null)
  }

  /**
   * A path for a file that was entered.
   *
   * @param isFree whether a page may be put at a path
   */
  pathOfFile(file: string, isFree: (path: string) => boolean): string {
    const parent = this.pathOfFolder(folderOf(file)) ?? this.#base
    if (isIndexFile(file) && isFree(parent)) return parent
    return childPath(
      parent,
      labelFromTitle(stemOf(file), label => !isFree(`${parent}.${label}`)),
    )
  }

  #add(folder: string, path: string): void {
    this.#folders.set(folder, { path, files: 1 })
    const there = this.#at.get(path)
    if (there) there.add(folder)
    else this.#at.set(path, new Set([folder]))
  }

  #forget(folder: string): void {
    const there = this.#at.get(this.#folders.get(folder)?.path ?? '')
    there?.delete(folder)
    this.#folders.delete(folder)
    const labels = this.#labels.get(above(folder))
    for (const [label, name] of labels ?? []) if (name === folder) labels?.delete(label)
  }

  #newPath(folder: string): string {
    if (folder === '') return this.#base
    const outer = above(folder)
    const parent = this.#folders.get(outer)?.path ?? this.#base
    if (depthOf(parent) >= DEPTH_MAX || parent.length > PATH_CHARS_MAX) return parent
    const labels = this.#labels.get(outer) ?? new Map<string, string>()
    this.#labels.set(outer, labels)
    const label = labelFromTitle(folder.slice(folder.lastIndexOf('/') + 1), it => labels.has(it))
    labels.set(label, folder)
    return childPath(parent, label)
  }
}

/** The folders a file is in, the topmost first. */
export function foldersOf(file: string): string[] {
  const folder = folderOf(file)
  const names = folder === '' ? [] : folder.split('/')
  return ['', ...names.map((_, index) => names.slice(0, index + 1).join('/'))]
}
