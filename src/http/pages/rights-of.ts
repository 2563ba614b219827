import { createHash } from 'node:crypto'
import type { Viewer } from '../../access/viewer.ts'

/** The rights that decide what a page shows. */
const SHOWING = ['view', 'viewdraft', 'history', 'post.edit', 'post.delete', 'user.edit'] as const

const signatures = new WeakMap<Viewer, string>()

/** What a viewer may see, as a text that is the same for viewers who may see the same. */
export function rightsOf(viewer: Viewer): string {
  let signature = signatures.get(viewer)
  if (signature === undefined) {
    const regexes = SHOWING.map(permission => viewer.pathsWith(permission))
    signature = createHash('sha256').update(JSON.stringify(regexes)).digest('base64url')
    signatures.set(viewer, signature)
  }
  return signature
}
