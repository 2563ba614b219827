import type { FastifyReply, FastifyRequest } from 'fastify'
import { findShownEntity, type Shown } from '../../../projections/page-history.ts'
import { absent, type Viewer } from '../../access/viewer.ts'
import { isUnder, toUrl, type UrlTarget } from '../../content/path.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import { demandMoment, type Moment } from '../../queries/at.ts'
import type { PageAnswer } from '../../queries/page-answer.ts'
import { readPage } from '../../queries/read-page.ts'
import { mayReadPast, viewerOf } from '../../queries/reader.ts'
import type { PageRecord } from '../../queries/record.ts'
import { findRevisionEntry } from '../../queries/revisions.ts'
import { urlOfPath } from '../../scheme/site-urls.ts'
import type { RevisionNotice } from '../../scheme/views.ts'
import { linkOriginal, linkTimes, negotiated, pageUrls, sendToMemento } from '../memento.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sayWhen, sendElsewhere } from '../reply.ts'
import { actorPerson, ROOT } from './around.ts'
import { type Query, queryOf, revisionOf, textOf } from './asked.ts'
import { chosenIn } from './chosen.ts'
import { contentBeside, stateOf } from './entries.ts'
import { buildBlame, buildDiff, buildHistory } from './history-build.ts'
import { pageOfHtml } from './kept-pages.ts'
import { buildPage } from './page-build.ts'
import {
  type Pages,
  restoreUrl,
  type Scene,
  sceneOf,
  urlIn,
  urlOfRevision,
  viewUrl,
} from './scene.ts'
import { sendHtml } from './send-html.ts'

/**
 * Answers the URL of a page, or of a view of it, as HTML.
 *
 * @throws what becomes an error page: PAGE_NOT_FOUND, PAGE_GONE, REVISION_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED,
 *   REQUEST_INVALID, AT_INVALID, ROUTE_NOT_FOUND
 */
export async function answerPage(
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  target: UrlTarget,
): Promise<FastifyReply> {
  const { path, page, rest } = target
  try {
    if (rest.length === 0 && page === null) return await answerRecord(pages, request, reply, path)
    if (rest.length === 0 && isView(page)) {
      return await answerView(pages, request, reply, { path, page })
    }
  } catch (thrown) {
    if (isRefusal(thrown)) await demandSomething(pages, request, path)
    throw thrown
  }
  throw new Rm3Error('ROUTE_NOT_FOUND', 'there is nothing at this address')
}

type View = 'history.html' | 'diff.html' | 'blame.html'

function isView(page: string | null): page is View {
  return page === 'history.html' || page === 'diff.html' || page === 'blame.html'
}

function isRefusal(thrown: unknown): boolean {
  return isRm3Error(thrown, 'LOGIN_REQUIRED') || isRm3Error(thrown, 'PERMISSION_DENIED')
}

/** To say that something may not be read says that it is there. @throws PAGE_NOT_FOUND when it is not */
async function demandSomething(
  { site }: Pages,
  request: FastifyRequest,
  path: string,
): Promise<void> {
  const { type } = await readPage(site, readerOf(request), path)
  if (type === 'absent') throw absent(path)
}

/** The page itself: as it was kept, where that is still right, else rendered anew. */
async function answerRecord(
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
): Promise<FastifyReply> {
  const { site, kept } = pages
  const wanted = await negotiated(site, request, path)
  if (wanted !== null) return sendToMemento(reply, pageUrls(path), wanted)
  if (request.speaker !== null || request.url.includes('?')) {
    return answerAnew(pages, request, reply, path)
  }
  const head = await pages.head.read()
  const viewer = await site.rights.viewer(site.db, head.rightsPosition, null)
  const known = viewer.may('view', path) ? await kept.find(path, head, viewer) : null
  if (known !== null) {
    sayWhen(reply, head.position, null)
    if (mayReadPast(viewer, [path])) linkOriginal(reply, pageUrls(path))
    return sendHtml(request, reply, known)
  }
  const answer = await readPage(site, viewer, path)
  if (answer.type !== 'page') return answerOther(request, reply, path, answer)
  const scene = sceneOf(pages, request, { viewer, path, when: null, head })
  const historyPath = mayReadPast(viewer, [path]) ? path : null
  const revision = answer.page.draft
    ? await noticeOf(scene, answer.page.entityId, answer.page.revision)
    : null
  const { html, parts } = await buildPage(scene, answer, { query: {}, revision, historyPath })
  const made = pageOfHtml(html)
  // what changes of a draft is not told apart from what changes nothing for readers
  if (!answer.page.draft) kept.keep(path, { head, viewer, parts }, made)
  sayWhen(reply, head.position, null)
  linkTimes(reply, pageUrls(path), path, answer)
  return sendHtml(request, reply, made)
}

async function answerAnew(
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
): Promise<FastifyReply> {
  const query = queryOf(request)
  const { site } = pages
  const { at } = request
  const revision = at !== null && 'revision' in at ? at.revision : revisionOf(query, 'revision')
  const head = await pages.head.read()
  const answer = await readPage(
    site,
    readerOf(request),
    path,
    revision === null ? at : { revision },
  )
  if (answer.type !== 'page') return answerOther(request, reply, path, answer)
  const { viewer, page, position, recordedAt, mementos } = answer
  const when =
    at !== null && 'revision' in at
      ? { position, recordedAt: recordedAt ?? page.touched, settled: false }
      : at
  const now = when === null ? null : await findShownEntity(site.db, page.entityId)
  const scene = sceneOf(pages, request, {
    ...{ viewer, path, when, head, restoreUrl: restoreUrlOf(viewer, page, { when, now }) },
    ...(mementos !== undefined && { mementos }),
  })
  const shown = revision ?? (page.draft ? page.revision : null)
  const historyPath = now?.path ?? path
  const { html } = await buildPage(scene, answer, {
    query,
    historyPath: mayReadPast(viewer, [path, historyPath]) ? historyPath : null,
    revision: shown === null ? null : await noticeOf(scene, page.entityId, shown),
  })
  sayWhen(reply, position, recordedAt)
  linkTimes(reply, pageUrls(path), path, answer)
  return sendHtml(request, reply, pageOfHtml(html))
}

/** Sends a reader on to where the page went. @throws PAGE_GONE, PAGE_NOT_FOUND */
function answerOther(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  answer: Exclude<PageAnswer, { type: 'page' }>,
): FastifyReply {
  if (answer.type === 'moved' && isUnder(answer.to, ROOT)) {
    return reply.redirect(toUrl(answer.to, ROOT) + searchOf(request), 308)
  }
  if (answer.type === 'redirected') return sendElsewhere(reply, answer.url)
  if (answer.type === 'gone') {
    throw new Rm3Error('PAGE_GONE', `${path} was deleted`, { path })
  }
  throw absent(path)
}

/** Where a page of the past can be brought back, by who may; null where there is nothing to bring back. */
function restoreUrlOf(
  viewer: Viewer,
  { revision }: PageRecord,
  { when, now }: { when: Moment | null; now: Shown | null },
): string | null {
  if (now === null || when === null || 'ahead' in when) return null
  const { state, path } = now
  if (!mayReadPast(viewer, [path])) return null
  if (state === 'deleted') return viewer.may('post.delete', path) ? restoreUrl(path) : null
  const isOther = state === 'live' && now.revision !== revision
  return isOther && viewer.may('post.edit', path) ? restoreUrl(path, { revision }) : null
}

async function noticeOf(
  scene: Scene,
  entityId: string,
  revision: number,
): Promise<RevisionNotice | null> {
  const { pages, viewer, path } = scene
  const [entry, live] = await Promise.all([
    findRevisionEntry(pages.site, viewer, entityId, revision),
    findShownEntity(pages.site.db, entityId),
  ])
  if (entry === null) return null
  const { at, actor, actorName, actorPath, note } = entry
  const past = mayReadPast(viewer, [path])
  const beside = past ? await contentBeside(scene, { low: revision, high: revision }) : NONE
  const { before, after } = beside
  const liveNow = live?.state === 'live' ? live : null
  const state = stateOf(entry, liveNow?.revision ?? null)
  const isOther = state === 'past' || state === 'draft'
  return {
    ...{ revision, at, note },
    author: actorPerson(actor, actorName, actorPath === null ? null : urlIn(scene, actorPath)),
    state,
    restoreUrl:
      scene.when === null && past && isOther && viewer.may('post.edit', path)
        ? restoreUrl(path, { revision })
        : null,
    historyUrl: past ? viewUrl(scene, path, 'history.html') : null,
    diffUrl:
      before === null ? null : viewUrl(scene, path, 'diff.html', { from: before, to: revision }),
    liveUrl: liveNow === null ? null : urlOfPath(liveNow.path),
    previousUrl: before === null ? null : urlOfRevision(scene, before),
    nextUrl: after === null ? null : urlOfRevision(scene, after),
  }
}

const NONE = { before: null, after: null } as const

/** `history.html`, `diff.html` and `blame.html`. At a path that a page has left they lead to where it is. */
async function answerView(
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  { path, page }: { path: string; page: View },
): Promise<FastifyReply> {
  const { site } = pages
  const query = queryOf(request)
  const when = demandMoment(request.at)
  const viewer = await viewerOf(site, readerOf(request))
  const scene = sceneOf(pages, request, { viewer, path, when })
  try {
    const html = await VIEWS[page](scene, query)
    return sendHtml(request, reply, pageOfHtml(html))
  } catch (thrown) {
    if (!isRm3Error(thrown, 'PAGE_NOT_FOUND')) throw thrown
    const answer = await readPage(site, viewer, path)
    if (answer.type !== 'moved' || !isUnder(answer.to, ROOT)) throw thrown
    return reply.redirect(toUrl(answer.to, ROOT) + page + searchOf(request), 308)
  }
}

const VIEWS: Record<View, (scene: Scene, query: Query) => Promise<string>> = {
  'history.html': async (scene, query) => {
    const { site, names } = scene.pages
    const { timeZone } = await names.read(site.db)
    return buildHistory(scene, revisionOf(query, 'before'), chosenIn(query, timeZone))
  },
  'diff.html': diff,
  'blame.html': scene => buildBlame(scene),
}

async function diff(scene: Scene, query: Query): Promise<string> {
  const from = textOf(query, 'from')
  const to = textOf(query, 'to')
  const isRendered = textOf(query, 'view') === 'rendered'
  if (from !== null && to !== null) return buildDiff(scene, { from, to, isRendered })
  throw new Rm3Error('REQUEST_INVALID', 'say which revisions or times to compare: ?from=1&to=2')
}

function searchOf({ url }: FastifyRequest): string {
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark)
}
