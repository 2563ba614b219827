import type { Commit } from './commits.ts'
import { kindOfFile } from './page-document.ts'

/** Files that are told apart; of more, only the kinds are known. */
const FILES_MAX = 200_000

/** Counts the files of a history that are neither pages nor attachments, by kind: a suffix, links, other repositories. */
export class LeftOut {
  readonly #counts = new Map<string, number>()
  readonly #seen = new Set<string>()

  note({ changes }: Commit): void {
    for (const { file, mode } of changes) {
      const kind = kindOf(file, mode)
      if (kind === null || this.#seen.has(file) || this.#seen.size >= FILES_MAX) continue
      this.#seen.add(file)
      this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
    }
  }

  /** The most first. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([, one], [, other]) => other - one))
  }
}

function kindOf(file: string, mode: string): string | null {
  if (mode === '000000') return null
  if (mode === '120000') return 'links'
  if (mode === '160000') return 'other repositories'
  if (kindOfFile(file) !== 'other') return null
  return /\.[\w-]{1,16}$/.exec(file)?.[0] ?? 'without a suffix'
}
