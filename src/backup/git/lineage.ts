import type { Commit } from './commits.ts'
import type { GitPage } from './pages.ts'

/** A file that is a page or an attachment, in the tree of a commit. */
export interface TreeFile {
  readonly blob: string
  /** null for an attachment */
  readonly page: GitPage | null
}

/** The files of a commit by their names. */
export type Tree = Map<string, TreeFile>

/**
 * The trees of those commits that have children still to come. Which page a file is follows from its own line of history: a file that
 * one branch renames and another edits is one page.
 */
export class Lineages {
  readonly #trees = new Map<string, Tree>()
  readonly #children: Map<string, number>

  /** @param children how many commits have each as their parent */
  constructor(children: Map<string, number>) {
    this.#children = children
  }

  /** The tree of a commit's first parent, for the commit to change into its own; and those of its other parents, to be looked at. */
  treesOf(commit: Commit): { tree: Tree; others: Tree[] } {
    const [first, ...rest] = commit.parents
    const others = rest.map(parent => this.#taken(parent))
    return { tree: first === undefined ? new Map() : this.#own(first), others }
  }

  /** Keeps the tree of a commit for its children. */
  keep(commit: Commit, tree: Tree): void {
    if ((this.#children.get(commit.id) ?? 0) > 0) this.#trees.set(commit.id, tree)
  }

  #own(id: string): Tree {
    const isLast = this.#children.get(id) === 1
    const tree = this.#taken(id)
    return isLast ? tree : new Map(tree)
  }

  #taken(id: string): Tree {
    const tree = this.#trees.get(id) ?? new Map()
    const left = (this.#children.get(id) ?? 1) - 1
    this.#children.set(id, left)
    if (left <= 0) this.#trees.delete(id)
    return tree
  }
}
