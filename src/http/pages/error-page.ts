import type { FastifyReply, FastifyRequest } from 'fastify'
import { NOBODY_ROLE, viewerWith } from '../../access/viewer.ts'
import { fromUrl, pathsAbove } from '../../content/path.ts'
import { find } from '../../pg/db.ts'
import { FOREVER } from '../../projector/define.ts'
import { mayReadPast, viewerOf } from '../../queries/reader.ts'
import { policyOf } from '../../scheme/assets.ts'
import { renderError } from '../../scheme/error-view.ts'
import type { ErrorView, Frame, Link } from '../../scheme/views.ts'
import { readerOf } from '../plugins/speaker.ts'
import type { ProblemAnswer } from '../problem.ts'
import { frameOf, namedIn, peopleIn, ROOT, readAround } from './around.ts'
import { type Pages, restoreUrl, type Scene, sceneOf, urlIn, viewUrl } from './scene.ts'

/** Errors whose `detail` was written for who typed an address; the others are told in the scheme's words. */
const TOLD = new Set(['REQUEST_INVALID', 'CSRF_REFUSED', 'BODY_TOO_LARGE', 'ERASED'])
const WORDS: Readonly<Record<string, string>> = {
  REVISION_NOT_FOUND: 'This page has no such revision.',
  AT_INVALID: 'The address asks for a time that is none, or that has not come yet.',
}
const NO_VIEWER = viewerWith([], [NOBODY_ROLE], null)

/** An error as a page. What a reader may not see is told in the same bytes as what is not there, but for the request's id. */
export async function errorPage(
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  { problem, headers }: ProblemAnswer,
): Promise<string> {
  const { status, code, detail } = problem
  const wait = Number(headers['Retry-After'])
  const words = Object.hasOwn(WORDS, code) ? (WORDS[code] ?? null) : null
  const about = status >= 500 ? bare(pages, request) : await surroundings(pages, request, code)
  const html = renderError(pages.scheme, {
    ...about,
    status,
    isOfPast: problem['permission'] === 'history',
    detail: TOLD.has(code) ? sentence(detail) : words,
    retryAfterSeconds: Number.isFinite(wait) && wait > 0 ? wait : null,
    requestId: request.id,
  })
  reply.header('Content-Security-Policy', policyOf(html))
  return html
}

type About = Pick<
  ErrorView,
  'frame' | 'isFront' | 'nowUrl' | 'parent' | 'historyUrl' | 'undeleteUrl' | 'deletedAt'
>

/** What is around it without asking the database, which may be what failed. */
function bare(pages: Pages, request: FastifyRequest): About {
  const scene = sceneOf(pages, request, { viewer: NO_VIEWER, path: ROOT, when: null })
  const found = { named: new Map(), people: new Map() }
  const frame = frameOf(
    { ...scene, userId: null },
    { names: pages.names.last, nav: [], steps: null },
    found,
  )
  return { frame: { ...frame, loginUrl: null, searchUrl: null }, ...NOTHING }
}

const NOTHING = {
  isFront: false,
  nowUrl: null,
  parent: null,
  historyUrl: null,
  undeleteUrl: null,
  deletedAt: null,
} as const

async function surroundings(pages: Pages, request: FastifyRequest, code: string): Promise<About> {
  const [pathname = ''] = request.url.split('?', 1)
  const path = fromUrl(pathname, ROOT)?.path ?? ROOT
  const viewer = await viewerOf(pages.site, readerOf(request))
  const { at } = request
  const when = at !== null && 'revision' in at ? null : at
  const scene = sceneOf(pages, request, { viewer, path, when })
  const { frame, parent } = await frameAndParent(scene)
  const isFront = pathname === '/'
  if (code !== 'PAGE_GONE' || !viewer.may('view', path)) {
    const nowUrl = code === 'AT_INVALID' && viewer.may('view', path) ? pathname : null
    return { ...NOTHING, frame, isFront, nowUrl, parent }
  }
  const isReadable = mayReadPast(viewer, [path])
  const historyUrl = isReadable ? viewUrl(scene, path, 'history.html') : null
  const mayUndelete = isReadable && when === null && viewer.may('post.delete', path)
  const undeleteUrl = mayUndelete ? restoreUrl(path) : null
  return {
    ...NOTHING,
    frame,
    isFront,
    parent,
    historyUrl,
    undeleteUrl,
    deletedAt: await deletedAt(scene),
  }
}

/** The frame, and the nearest page above that the reader may see, where that is not the front page. */
async function frameAndParent(scene: Scene): Promise<{ frame: Frame; parent: Link | null }> {
  const above = pathsAbove(scene.path)
  const [around, named, people] = await Promise.all([
    readAround(scene),
    namedIn(scene, [ROOT, ...above]),
    peopleIn(scene),
  ])
  const nearest = above.filter(one => one !== ROOT && named.has(one)).at(-1)
  const title = nearest === undefined ? '' : (named.get(nearest)?.title ?? '')
  return {
    frame: frameOf(scene, around, { named, people }),
    parent:
      nearest === undefined ? null : { title: title || 'Untitled', url: urlIn(scene, nearest) },
  }
}

const DELETED = `select l.at from page_history h join log l on l.position = h.from_position
  where h.path = $1::text and h.state = 'deleted' and h.from_position <= $2::bigint order by h.from_position desc limit 1`

async function deletedAt({ pages, path, when }: Scene): Promise<string | null> {
  const until = when === null || 'ahead' in when ? FOREVER - 1 : when.position
  const row = await find<{ at: string }>(pages.site.db, DELETED, [path, until])
  return row?.at ?? null
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
