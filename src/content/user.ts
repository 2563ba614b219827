import { parentPath, USERS_PATH } from './path.ts'
import type { Entity } from './state.ts'

/**
 * Whether an entity is a user now: a live page of proto `user` right under `wh.users`. Elsewhere it is a page like any other, or
 * whoever may only write a blog could make accounts.
 */
export function isUser({ state, live, path }: Entity): boolean {
  if (state !== 'live' || live === null || parentPath(path) !== USERS_PATH) return false
  // patches work on the stored form, in which short texts stand as they are
  return (live.document as { readonly proto?: unknown }).proto === 'user'
}
