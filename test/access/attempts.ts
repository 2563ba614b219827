import { attachBlob } from '../../src/commands/blobs.ts'
import type { Change } from '../../src/commands/change.ts'
import {
  createPage,
  deletePage,
  movePage,
  publishPage,
  restoreRevision,
  revisePage,
  undeletePage,
} from '../../src/commands/pages.ts'
import { assignUser, permitRole, setSetting } from '../../src/commands/rights.ts'
import { movedPath, parentPath } from '../../src/content/path.ts'
import type { Entity } from '../../src/content/state.ts'

/** Pages of the site on which rights are tried. */
export const LIVE = ['wh', 'wh.blog', 'wh.blog.post', 'wh.secret.page']
export const DRAFTS = ['wh.blog.draft', 'wh.secret.draft']
export const DELETED = ['wh.blog.gone', 'wh.secret.gone']

/** What a user may, by the reference. */
export type May = (permission: string, path: string) => boolean
/** Who is refused what: `missing` where the thing must not even seem to exist. */
export type Outcome = 'ok' | 'denied' | 'PAGE_NOT_FOUND' | 'USER_NOT_FOUND'

export interface Attempt {
  readonly title: string
  readonly work: (change: Change) => Promise<unknown>
  readonly outcome: (may: May) => Outcome
}

/** Every command on every kind of page. */
export function attempts(userId: string): Attempt[] {
  const settles: Attempt[] = [
    {
      title: 'permit',
      work: it => permitRole(it, { role: 'x', permission: 'x', pattern: '*' }),
      outcome: may => needs(may('grant', 'wh')),
    },
    {
      title: 'set',
      work: it => setSetting(it, 'a.b', 1),
      outcome: may => needs(may('grant', 'wh')),
    },
    {
      title: 'assign',
      work: it => assignUser(it, userId, 'x'),
      outcome: may => {
        if (may('grant', 'wh.users.ann')) return 'ok'
        return may('view', 'wh.users.ann') ? 'denied' : 'USER_NOT_FOUND'
      },
    },
  ]
  return [
    ...settles,
    ...LIVE.flatMap(onLive),
    ...DRAFTS.flatMap(onDraft),
    ...DELETED.flatMap(onDeleted),
  ]
}

function onLive(path: string): Attempt[] {
  const blob = {
    name: 'a',
    sha256: 'a'.repeat(64),
    sizeBytes: 1,
    mediaType: 'image/png',
    category: 'public',
  } as const
  const below = [...LIVE, ...DRAFTS].filter(other => other === path || other.startsWith(`${path}.`))
  const moves = [...below, ...below.map(other => movedPath(other, path, 'wh.blog.to'))]
  const seen = (may: May, granted: boolean) =>
    may('view', path) ? needs(granted) : 'PAGE_NOT_FOUND'
  const all: Attempt[] = [
    {
      title: `create below ${path}`,
      work: it => createPage(it, { path: `${path}.new`, document: titled('x') }),
      outcome: may => needs(may('post.edit', path)),
    },
    {
      title: `edit ${path}`,
      work: it => edit(it, path),
      outcome: may => seen(may, may('post.edit', path)),
    },
    {
      title: `attach to ${path}`,
      work: it => attachBlob(it, path, blob),
      outcome: may => seen(may, may('post.edit', path)),
    },
    {
      title: `delete ${path}`,
      work: it => deletePage(it, path),
      outcome: may => seen(may, may('post.delete', path)),
    },
    {
      title: `restore ${path}`,
      work: it => restoreRevision(it, path, { revision: 1 }),
      outcome: may => seen(may, may('post.edit', path) && may('history', path)),
    },
  ]
  if (path === 'wh' || path === 'wh.blog') return all
  return [
    ...all,
    {
      title: `move ${path}`,
      work: it => movePage(it, path, 'wh.blog.to'),
      outcome: may =>
        seen(
          may,
          [...moves, 'wh.blog'].every(place => may('post.edit', place)),
        ),
    },
  ]
}

function onDraft(path: string): Attempt[] {
  const seen = (may: May, granted: boolean) =>
    may('view', path) && may('viewdraft', path) ? needs(granted) : 'PAGE_NOT_FOUND'
  return [
    {
      title: `publish ${path}`,
      work: it => publishPage(it, path, 1),
      outcome: may => seen(may, may('post.edit', path)),
    },
    {
      title: `delete ${path}`,
      work: it => deletePage(it, path),
      outcome: may => seen(may, may('post.delete', path)),
    },
  ]
}

function onDeleted(path: string): Attempt[] {
  const parent = parentPath(path) ?? ''
  return [
    {
      title: `undelete ${path}`,
      work: it => undeletePage(it, path),
      outcome: may =>
        may('view', path)
          ? needs(may('post.delete', path) && may('post.edit', parent))
          : 'PAGE_NOT_FOUND',
    },
  ]
}

function needs(granted: boolean): Outcome {
  return granted ? 'ok' : 'denied'
}

/** Saves a page anew as it is now. */
export async function edit(change: Change, path: string): Promise<Entity> {
  const id = await change.liveIdAt(path)
  const entity = id === null ? null : await change.entity(id)
  return revisePage(change, path, { ifMatch: entity?.sinceId ?? '', edit: () => titled('2') })
}

/** A document. */
export function titled(title: string) {
  return { proto: 'base', hidden: false, summary: { title }, data: {}, tags: {} }
}
