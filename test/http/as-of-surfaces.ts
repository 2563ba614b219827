import { listBlobs } from '../../projections/blobs.ts'
import type { Entity } from '../../src/content/state.ts'
import type { AtPosition } from '../../src/queries/at.ts'
import { getBlobBySha256 } from '../../src/queries/blobs.ts'
import { listPages } from '../../src/queries/list-pages.ts'
import { CHILDREN, DEPTH_ALL } from '../../src/queries/listing.ts'
import { listMementos } from '../../src/queries/mementos.ts'
import { findNamedPages } from '../../src/queries/named-pages.ts'
import { readNewPages } from '../../src/queries/new-pages.ts'
import { viewerOf } from '../../src/queries/reader.ts'
import { searchPages } from '../../src/queries/search.ts'
import { assert } from '../harness.ts'
import { isHidden, type LogModel, type May, pastOf, titleOf } from '../support/as-of-model.ts'
import { browse } from './html-site.ts'
import { member, type TestServer, withToken } from './support.ts'

/** Where pages are in a history, below its top. */
export const PLACES = ['', '.a', '.a.c', '.b', '.b.c', '.d']

/** Who looks. */
export interface Looker {
  readonly name: string
  readonly token: string | null
  readonly userId: string | null
  readonly may: May
}

interface Look {
  readonly top: string
  readonly position: number
}

/** Compares all that a looker is shown of a part of the site as of a position with what the model says. */
export async function lookAt(
  open: TestServer,
  model: LogModel,
  looker: Looker,
  look: Look,
): Promise<void> {
  const then = model.at(look.position).filter(({ path }) => isBelow(path, look.top))
  const live = then.filter(({ state }) => state === 'live')
  const seen = live.filter(entity => pastOf(looker.may, [entity.path, model.nowPath(entity.id)]))
  const where = `${looker.name} at ${look.position} in ${look.top}`
  await lookAtPages(open, model, looker, { ...look, then, seen, where })
  await lookAtLists(open, looker, { ...look, seen, where })
  await lookAtFollowers(open, model, looker, { ...look, seen, where })
  await lookAtHistory(open, model, looker, { ...look, where })
}

function isBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}.`)
}

type Seen = Look & { readonly seen: readonly Entity[]; readonly where: string }

/** The record and the page at each path, and what is told of pages that are not there any more. */
async function lookAtPages(
  open: TestServer,
  model: LogModel,
  looker: Looker,
  { top, position, then, seen, where }: Seen & { readonly then: readonly Entity[] },
): Promise<void> {
  const ask = (url: string) => {
    const request = browse(url)
    return open.server.inject(looker.token === null ? request : withToken(looker.token, request))
  }
  for (const place of PLACES) {
    const path = `${top}${place}`
    const expected = statusAt(model, looker, { path, position, then, seen })
    const answer = await ask(`/api/pages/${path}?at=position:${position}`)
    assert.is(answer.statusCode, expected, `${where} ${path} ${answer.body}`)
    if (expected === 200) {
      const entity = seen.find(one => one.path === path)
      assert.is(member(answer.body, 'entityId'), entity?.id, `${where} ${path}`)
    }
  }
  const page = await ask(`/${top.slice(3)}/?at=position:${position}`)
  const titles = [...page.body.matchAll(/Title h\d+x\d+/g)].map(([title]) => title)
  const allowed = new Set(seen.map(titleOf))
  assert.equal(
    titles.filter(title => !allowed.has(title)),
    [],
    `${where} html`,
  )
  if (page.statusCode !== 200) return
  const children = seen.filter(
    entity => entity.path.startsWith(`${top}.`) && !entity.path.slice(top.length + 1).includes('.'),
  )
  const missing = children.filter(child => !isHidden(child) && !titles.includes(titleOf(child)))
  assert.equal(missing.map(titleOf), [], `${where} html`)
}

function statusAt(
  model: LogModel,
  { may, token }: Looker,
  about: { path: string; position: number; then: readonly Entity[]; seen: readonly Entity[] },
): number {
  const { path, position, then, seen } = about
  if (!may('view', path)) return 404
  if (!may('history', path)) return token === null ? 401 : 403
  if (seen.some(entity => entity.path === path)) return 200
  if (then.some(entity => entity.path === path && entity.state === 'live')) return 404
  const last = then.find(({ id }) => id === model.lastAt(path, position))
  if (last === undefined) return 404
  if (!pastOf(may, [path, last.path, model.nowPath(last.id)])) return 404
  if (last.state === 'deleted') return 410
  return last.path === path ? 404 : 308
}

async function lookAtLists(open: TestServer, looker: Looker, look: Seen): Promise<void> {
  const { top, position, seen, where } = look
  const { site } = open
  const when: AtPosition = { position, recordedAt: '2020-01-01T00:00:00.000Z', settled: true }
  const viewer = await viewerFor(open, looker)
  const part = { limit: 200, after: null, when }
  const below = (entity: Entity) => entity.path !== top
  const paths = async (more: object) => {
    const listing = { ...CHILDREN, parent: top, depth: DEPTH_ALL, ...more }
    return (await listPages(site, viewer, listing, part)).items.map(({ path }) => path)
  }
  const expected = (keep: (entity: Entity) => boolean) => pathsOf(seen.filter(below).filter(keep))
  const shown = (entity: Entity) => !isHidden(entity)

  assert.equal(await paths({}), expected(shown), `${where} list`)
  assert.equal((await paths({ sort: 'modified' })).sort(), expected(shown), `${where} by time`)
  const edited = (entity: Entity) => shown(entity) || looker.may('post.edit', entity.path)
  assert.equal(await paths({ hidden: true }), expected(edited), `${where} hidden`)
  const tagged = (entity: Entity) => shown(entity) && Object.keys(entity.tags).some(isEven)
  const tag = { predicate: 'about', object: 'even' }
  assert.equal(await paths({ tag }), expected(tagged), `${where} tag`)
  const named = await findNamedPages(
    site,
    viewer,
    PLACES.map(place => `${top}${place}`),
    when,
  )
  const asked = seen.filter(({ path }) => PLACES.includes(path.slice(top.length)))
  assert.equal([...named.keys()].sort(), pathsOf(asked), `${where} names`)
}

function isEven(key: string): boolean {
  return key.includes('"even"')
}

/** Search, links, the feed and files by their hash. */
async function lookAtFollowers(
  open: TestServer,
  model: LogModel,
  looker: Looker,
  { top, position, seen, where }: Seen,
): Promise<void> {
  const { site } = open
  const viewer = await viewerFor(open, looker)
  const when: AtPosition = { position, recordedAt: '2020-01-01T00:00:00.000Z', settled: true }
  const part = { limit: 50, after: null, when }
  const found = await searchPages(
    site,
    viewer,
    { words: 'common', below: top, hidden: false },
    part,
  )
  const had = seen.filter(entity => entity.path !== top && !isHidden(entity))
  assert.equal(found.items.map(({ path }) => path).sort(), pathsOf(had), `${where} search`)

  const feed = await readNewPages(site, viewer, when)
  const others = feed.filter(({ path }) => isBelow(path, top)).map(({ path }) => path)
  const shown = pathsOf(seen.filter(entity => !isHidden(entity)))
  assert.equal(
    others.filter(path => !shown.includes(path)),
    [],
    `${where} feed`,
  )

  for (const entity of model.at(position).filter(({ path }) => isBelow(path, top))) {
    for (const { sha256 } of await listBlobs(site.db, entity.id, position)) {
      const got = await getBlobBySha256(site, viewer, sha256, position).catch(() => null)
      assert.is(got !== null, seen.includes(entity), `${where} file of ${entity.path}`)
    }
  }
}

/** Revisions, deeds and mementos. */
async function lookAtHistory(
  open: TestServer,
  model: LogModel,
  looker: Looker,
  { top, position, where }: Omit<Seen, 'seen'>,
): Promise<void> {
  const { may, token } = looker
  const get = async (url: string) => {
    const request = { url }
    return open.server.inject(token === null ? request : withToken(token, request))
  }
  const heard = model.moments.filter(({ event, before, after }) => {
    const paths = [before?.path ?? after.path, after.path, model.nowPath(after.id)]
    return event.position <= position && isBelow(after.path, top) && pastOf(may, paths)
  })
  const deeds: number[] = []
  for (let after = ''; ; ) {
    const { body } = await get(`/api/activity?limit=200&at=position:${position}${after}`)
    const items = member(body, 'items') as { position: number; path: string | null }[]
    deeds.push(...items.filter(({ path }) => isBelow(path ?? '', top)).map(item => item.position))
    const next = member(body, 'next')
    if (next === null) break
    after = `&after=${String(next)}`
  }
  assert.equal(
    deeds.reverse(),
    heard.map(({ event }) => event.position),
    `${where} activity`,
  )
  const path = `${top}.a`
  const viewer = await viewerFor(open, looker)
  const mementos =
    may('view', path) && may('history', path)
      ? await listMementos(open.site, viewer, path, { after: -1, limit: 100 })
      : []
  const shown = model.moments.filter(
    ({ after }) =>
      after.path === path &&
      after.state === 'live' &&
      after.since === after.revision &&
      pastOf(may, [path, model.nowPath(after.id)]),
  )
  assert.equal(
    mementos.map(one => one.position),
    shown.map(({ event }) => event.position),
    `${where} mementos`,
  )
}

const RIGHTS = 'select rights_position as position from log_head'

async function viewerFor({ site }: TestServer, { userId }: Looker) {
  const [row] = await site.db.rows<{ position: number }>(RIGHTS)
  return userId === null
    ? viewerOf(site, null)
    : site.rights.viewer(site.db, row?.position ?? 0, userId)
}

function pathsOf(entities: readonly Entity[]): string[] {
  return entities.map(({ path }) => path).sort()
}
