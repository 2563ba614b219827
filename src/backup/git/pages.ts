/** A page made of a file, or of a folder without a text of its own, as far as the history was read. */
export interface GitPage {
  /** null before it is created */
  id: string | null
  /** The file it is now, or was last; null for a folder's own page. */
  file: string | null
  path: string
  state: 'none' | 'draft' | 'live' | 'deleted'
  /** The blob its text is from. */
  blob: string | null
  /** Events of its stream so far, and the one that has its newest content. */
  revision: number
  tip: number
}

/** A page that is not there yet. */
export function newPage(file: string | null): GitPage {
  return { id: null, file, path: '', state: 'none', blob: null, revision: 0, tip: 0 }
}

/** Whether it is there. */
export function isThere({ state }: GitPage): boolean {
  return state === 'live' || state === 'draft'
}
