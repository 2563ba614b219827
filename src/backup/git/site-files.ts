import { isUnder } from '../../content/path.ts'

/** The folder of files that belong to a page, beside its children. No label begins with `_`. */
export const FILES_FOLDER = '_files'
const ROOT = 'wh'
const FRONT = 'index'
/** Names that would be taken for a folder's page. */
const INDEX = /^(?:index|readme)$/
const UNFIT = /[%~:*?"<>|\\]|^\.|[. ]$/g

/** The file of a page, without its suffix: `wh.blog.post` → `blog/post`, `wh` → `index`. */
export function fileOfPath(path: string): string {
  if (path === ROOT) return FRONT
  const labels = isUnder(path, ROOT) ? path.split('.').slice(1) : ['_', ...path.split('.')]
  const last = labels.at(-1) ?? ''
  return [...labels.slice(0, -1), INDEX.test(last) ? `${last}-` : last].join('/')
}

/** The file that a page's file is in the repository. */
export function fileOfBlob(path: string, name: string): string {
  const labels = isUnder(path, ROOT) ? path.split('.').slice(1) : ['_', ...path.split('.')]
  return [...labels, FILES_FOLDER, fitName(name)].join('/')
}

/** A name that is one on every system, and none that git keeps to itself: what does not fit is escaped as in URLs. */
function fitName(name: string): string {
  return name.replace(UNFIT, char => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
