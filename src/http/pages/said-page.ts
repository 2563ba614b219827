import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isUnder } from '../../content/path.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import type { RevisionEntry } from '../../queries/revision-entry.ts'
import {
  searchHistory,
  WORDING_CHARS_MAX,
  WORDINGS_DEFAULT,
  type Wording,
} from '../../queries/search-history.ts'
import { SAID_URL } from '../../scheme/frame.ts'
import { renderSaid } from '../../scheme/said-view.ts'
import { urlOfPath, withQuery } from '../../scheme/site-urls.ts'
import type { SaidPage, SaidTime } from '../../scheme/views-of-past.ts'
import { actorPerson, ROOT } from './around.ts'
import { type Query, queryOf, textOf } from './asked.ts'
import type { Pages, Scene } from './scene.ts'
import { sendFresh } from './send-html.ts'
import { standing } from './standing.ts'
import { withoutSlash } from './without-slash.ts'

const ROUTE = { config: { access: 'history' }, schema: { hide: true } } as const
const CONTROLS = /\p{Cc}+/gu

/** `/$said/`: when the words of `?q=` appeared on pages and when they vanished, a part at a time by `?after=`. */
export function saidPage(server: FastifyInstance, pages: Pages): void {
  withoutSlash(server, SAID_URL, ROUTE)
  server.get(SAID_URL, ROUTE, async (request, reply) =>
    sendFresh(reply, await answer(pages, request)),
  )
}

async function answer(pages: Pages, request: FastifyRequest): Promise<string> {
  const query = queryOf(request)
  const words = wordsOf(query)
  const { scene, frame } = await standing(pages, request)
  const found = words === '' ? NOTHING : await partOf(scene, words, textOf(query, 'after') || null)
  return renderSaid(pages.scheme, {
    ...{ frame, words, action: SAID_URL },
    pages: found.items.map(wording => saidOn(scene, wording)),
    firstUrl: found.isFirst ? null : saidUrl({ q: words }),
    nextUrl: found.next === null ? null : saidUrl({ q: words, after: found.next }),
  })
}

/** @throws REQUEST_INVALID when there are too many */
function wordsOf(query: Query): string {
  const words = (textOf(query, 'q') ?? '').replace(CONTROLS, ' ').trim()
  if (words.length <= WORDING_CHARS_MAX) return words
  const message = `what is looked for has at most ${WORDING_CHARS_MAX} characters`
  throw new Rm3Error('REQUEST_INVALID', message, { parameter: 'q' })
}

interface Part {
  readonly items: readonly Wording[]
  readonly next: string | null
  readonly isFirst: boolean
}

const NOTHING: Part = { items: [], next: null, isFirst: true }

async function partOf(scene: Scene, words: string, after: string | null): Promise<Part> {
  const { viewer, pages } = scene
  const asked = { words, under: null }
  try {
    const found = await searchHistory(pages.site, viewer, asked, { limit: WORDINGS_DEFAULT, after })
    return { ...found, isFirst: after === null }
  } catch (thrown) {
    // a cursor of another search: it begins anew, as listings do
    if (isRm3Error(thrown, 'CURSOR_INVALID')) return partOf(scene, words, null)
    throw thrown
  }
}

function saidOn(scene: Scene, { title, path, sentence, times }: Wording): SaidPage {
  const timeOf = (entry: RevisionEntry | null) => entry && saidTime(scene, path, entry)
  return {
    ...{ title, path, sentence },
    url: isUnder(path, ROOT) ? `${urlOfPath(path)}history.html` : null,
    times: times.map(({ appeared, vanished, stands }) => {
      return { appeared: timeOf(appeared), vanished: timeOf(vanished), stands }
    }),
  }
}

function saidTime({ viewer }: Scene, path: string, entry: RevisionEntry): SaidTime {
  const { at, revision, actor, actorName, actorPath } = entry
  const url = actorPath !== null && viewer.may('view', actorPath) ? urlOfPath(actorPath) : null
  return {
    at,
    author: actorPerson(actor, actorName, url),
    url: isUnder(path, ROOT) ? withQuery(urlOfPath(path), `revision=${revision}`) : null,
  }
}

function saidUrl(query: Record<string, string>): string {
  return withQuery(SAID_URL, new URLSearchParams(query).toString())
}
