import { pathsAbove } from '../../content/path.ts'
import type { Moment } from '../../queries/at.ts'
import { listPages } from '../../queries/list-pages.ts'
import { CHILDREN } from '../../queries/listing.ts'
import { findNamedPages, type NamedPage } from '../../queries/named-pages.ts'
import type { People } from '../../queries/people.ts'
import { findSiteSteps, type SiteSteps } from '../../queries/site-steps.ts'
import type { AsOf, Frame, Link, Person } from '../../scheme/views.ts'
import { recallNamed, recallPeople } from './memory.ts'
import { linkQueryOf, type Scene, urlIn, urlWith } from './scene.ts'
import { readNamesAt, type SiteNames } from './site-names.ts'
import { titleIn } from './titles.ts'

/** The path that has the URL `/`. */
export const ROOT = 'wh'
export const LOGIN_URL = '/$login/'
export const ACCOUNT_URL = '/$account/'
export const LOGOUT_URL = '/$logout/'
export const SEARCH_URL = '/$search/'
const NAV_MAX = 30
const NAVBAR = { predicate: 'navigation', object: 'navbar' }

/** What stands around every view, as it was found. */
export interface Around {
  readonly names: SiteNames
  readonly nav: readonly { readonly path: string; readonly title: string }[]
  /** Only in the past. */
  readonly steps: SiteSteps | null
}

/** Looks up what stands around the content: two statements, and none where it is remembered. */
export function readAround(scene: Scene): Promise<Around> {
  const { memory } = scene
  if (memory.around === null) {
    memory.around = findAround(scene)
    memory.around.catch(() => {
      memory.around = null
    })
  }
  return memory.around
}

/** The pages at some paths that the viewer may see, in the time of the scene. */
export function namedIn(
  { pages, viewer, when, memory }: Scene,
  paths: readonly string[],
): Promise<Map<string, NamedPage>> {
  if (when !== null) return findNamedPages(pages.site, viewer, paths, when)
  return recallNamed(memory, pages.site, viewer, [...new Set(paths)])
}

/** Users by their ids; who is logged in is among them. */
export function peopleIn(
  { pages, memory, userId }: Scene,
  actors: readonly string[] = [],
): Promise<People> {
  return recallPeople(memory, pages.site, userId === null ? actors : [userId, ...actors])
}

async function findAround(scene: Scene): Promise<Around> {
  const { pages, viewer, when } = scene
  const listing = { ...CHILDREN, parent: ROOT, tag: NAVBAR }
  const part = { limit: NAV_MAX, after: null, when }
  const past = when !== null && 'position' in when ? when.position : null
  const [names, { items }, steps] = await Promise.all([
    siteNames(scene),
    listPages(pages.site, viewer, listing, part),
    past === null ? null : findSiteSteps(pages.site, viewer, past),
  ])
  return { names, nav: items.map(item => ({ path: item.path, title: titleIn(item) })), steps }
}

/** The names that the site had; its address and its clocks are those of today. */
async function siteNames({ pages, when }: Scene): Promise<SiteNames> {
  const { db } = pages.site
  const now = await pages.names.read(db)
  if (when === null || 'ahead' in when) return now
  return { ...(await readNamesAt(db, when.position)), origin: now.origin, timeZone: now.timeZone }
}

/** What is around the content of a view. @param named has the root, whose title the site has when none is set */
export function frameOf(
  scene: Scene,
  { names, nav, steps }: Around,
  found: { readonly named: ReadonlyMap<string, NamedPage>; readonly people: People },
): Frame {
  const { userId, when } = scene
  return {
    site: {
      name: names.title ?? (found.named.get(ROOT)?.title || 'rm3'),
      language: names.language,
      homeUrl: urlIn(scene, ROOT),
      origin: names.origin,
      timeZone: names.timeZone,
      copyright: names.copyright,
    },
    nav: nav.map(({ path, title }) => ({
      title: title || path,
      url: urlIn(scene, path),
      current: scene.path === path || scene.path.startsWith(`${path}.`),
    })),
    user:
      userId === null ? null : { name: found.people.get(userId)?.name || 'You', url: ACCOUNT_URL },
    loginUrl: userId === null ? `${LOGIN_URL}?${new URLSearchParams({ next: scene.url })}` : null,
    searchUrl: SEARCH_URL,
    asOf: when && {
      ...shownMoment(when),
      ...stepUrls(scene, steps),
      restoreUrl: scene.restoreUrl,
      nowUrl: urlWith(scene, 'at', null),
      linkQuery: linkQueryOf(scene),
    },
  }
}

/** The same page at the times next to that of the scene: those of the page, and those of the site. */
function stepUrls(
  scene: Scene,
  steps: SiteSteps | null,
): Pick<AsOf, 'previousUrl' | 'nextUrl' | 'sitePreviousUrl' | 'siteNextUrl'> {
  const urlAt = (position: number | null | undefined) =>
    position == null ? null : urlWith(scene, 'at', `position:${position}`)
  return {
    previousUrl: urlAt(scene.mementos?.previous?.position),
    nextUrl: urlAt(scene.mementos?.next?.position),
    sitePreviousUrl: urlAt(steps?.previous),
    siteNextUrl: urlAt(steps?.next),
  }
}

function shownMoment(when: Moment): Pick<AsOf, 'at' | 'position' | 'isAhead'> {
  if ('ahead' in when) return { at: when.ahead, position: when.head, isAhead: true }
  return { at: when.recordedAt, position: when.position, isAhead: false }
}

/** From the front page to the parent: those that are there and may be seen. */
export function breadcrumbOf(scene: Scene, named: ReadonlyMap<string, NamedPage>): Link[] {
  return pathsAbove(scene.path).flatMap(path => {
    const page = named.get(path)
    return page === undefined
      ? []
      : [{ title: page.title || 'Untitled', url: urlIn(scene, page.path) }]
  })
}

const FIXED_ACTORS: Readonly<Record<string, string>> = {
  root: 'The operator',
  system: 'rm3 itself',
  nobody: 'Someone not logged in',
}

/** A user by entity id; null for the fixed actors and for who is gone. */
export function personOf(scene: Scene, people: People, actor: string | null): Person | null {
  const account = actor === null ? undefined : people.get(actor)
  if (account === undefined) return null
  const url = scene.viewer.may('view', account.path) ? urlIn(scene, account.path) : null
  return { name: account.name || account.path.slice(account.path.lastIndexOf('.') + 1), url }
}

/** Whoever did something, the fixed actors too. */
export function actorPerson(actor: string, name: string | null, url: string | null): Person {
  const known = Object.hasOwn(FIXED_ACTORS, actor) ? FIXED_ACTORS[actor] : undefined
  return { name: known ?? name ?? 'Someone who is gone', url }
}
