import type { FastifyRequest } from 'fastify'
import type { Viewer } from '../../access/viewer.ts'
import type { Site } from '../../commands/change.ts'
import type { Moment } from '../../queries/at.ts'
import type { Mementos } from '../../queries/mementos.ts'
import type { Scheme } from '../../scheme/scheme.ts'
import { urlOfPath, withQuery } from '../../scheme/site-urls.ts'
import type { HttpOptions } from '../context.ts'
import type { KeptPages } from './kept-pages.ts'
import { type Memories, type Memory, newMemory } from './memory.ts'
import type { Head, SharedHead } from './shared-head.ts'
import type { NamesReader } from './site-names.ts'

/** What pages are made with; one for a server. */
export interface Pages {
  readonly site: Site
  readonly options: HttpOptions
  readonly scheme: Scheme
  readonly names: NamesReader
  readonly kept: KeptPages
  readonly head: SharedHead
  readonly memories: Memories
}

/** Who looks at which address, as of when. */
export interface Scene {
  readonly pages: Pages
  readonly viewer: Viewer
  /** Whose name stands in the page's head; null: nobody is logged in. */
  readonly userId: string | null
  /** Of the page that is shown or told of. */
  readonly path: string
  /** The URL as it was asked for, with its query. */
  readonly url: string
  /** null: now. */
  readonly when: Moment | null
  /** Other times of the page; null where they are not known. */
  readonly mementos: Mementos | null
  /** Where what is seen can be brought back to today; null where that is not offered. */
  readonly restoreUrl: string | null
  /** What was looked up for others who may see the same. */
  readonly memory: Memory
}

/** The scene of a request. @param about `head`: as read after the request came; without it nothing is remembered */
export function sceneOf(
  pages: Pages,
  request: FastifyRequest,
  about: Pick<Scene, 'viewer' | 'path' | 'when'> & {
    readonly head?: Head
    readonly mementos?: Mementos
    readonly restoreUrl?: string | null
  },
): Scene {
  const { viewer, path, when, head, mementos = null, restoreUrl = null } = about
  const memory = head && when === null ? pages.memories.at(head, viewer) : newMemory()
  const userId = request.speaker?.userId ?? null
  return { pages, viewer, path, when, mementos, restoreUrl, memory, userId, url: request.url }
}

/** What links get to stay in the time of the scene; '' now. */
export function linkQueryOf({ when }: Scene): string {
  return when === null ? '' : atQuery(when)
}

/** The query that asks for a time. */
export function atQuery(when: Moment): string {
  return `at=${encodeURIComponent('ahead' in when ? when.ahead : `position:${when.position}`)}`
}

/** A page's URL in the time of the scene. */
export function urlIn(scene: Scene, path: string): string {
  return withQuery(urlOfPath(path), linkQueryOf(scene))
}

/** The URL of a view of a page (`history.html`), with a query; it stays in the time of the scene. */
export function viewUrl(
  scene: Scene,
  path: string,
  name: string,
  query: Readonly<Record<string, string | number>> = {},
): string {
  const words = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) words.set(key, String(value))
  const url = withQuery(urlOfPath(path) + name, words.toString())
  return withQuery(url, linkQueryOf(scene))
}

/** The URL of the scene with one member of its query put in another's place, or left out. */
export function urlWith(scene: Scene, name: string, value: string | null): string {
  const [pathname = '/', search = ''] = scene.url.split('?', 2)
  const words = new URLSearchParams(search)
  if (value === null) words.delete(name)
  else words.set(name, value)
  return withQuery(pathname, words.toString())
}

export const RESTORE_URL = '/$restore/'

/** Where a revision of a page can be brought back, or one field of it; without a revision the page itself, which is deleted. */
export function restoreUrl(
  path: string,
  what: { readonly revision?: number; readonly field?: string } = {},
): string {
  const words = new URLSearchParams({ path })
  for (const [key, value] of Object.entries(what)) words.set(key, String(value))
  return withQuery(RESTORE_URL, words.toString())
}

/** The URL of one revision of the scene's page. */
export function urlOfRevision(scene: Scene, revision: number): string {
  return viewUrl(scene, scene.path, '', { revision })
}
