import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isUnder } from '../../content/path.ts'
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
import { type Query, queryOf, textOf, wordsOf } from './asked.ts'
import { partBehind } from './part-behind.ts'
import type { Pages, Scene } from './scene.ts'
import { sendFresh } from './send-html.ts'
import { standing } from './standing.ts'
import { withoutSlash } from './without-slash.ts'

const ROUTE = { config: { access: 'history' }, schema: { hide: true } } as const

/** `/$said/`: when the words of `?q=` appeared on pages and when they vanished, a part at a time by `?after=`. */
export function saidPage(server: FastifyInstance, pages: Pages): void {
  withoutSlash(server, SAID_URL, ROUTE)
  server.get(SAID_URL, ROUTE, async (request, reply) =>
    sendFresh(reply, await answer(pages, request)),
  )
}

async function answer(pages: Pages, request: FastifyRequest): Promise<string> {
  const query = queryOf(request)
  const words = wordsOf(query, WORDING_CHARS_MAX)
  const { scene, frame } = await standing(pages, request)
  const found = words === '' ? NOTHING : await findSaid(scene, words, query)
  return renderSaid(pages.scheme, {
    ...{ frame, words, action: SAID_URL },
    pages: found.items.map(wording => saidOn(scene, wording)),
    firstUrl: found.isFirst ? null : saidUrl({ q: words }),
    nextUrl: found.next === null ? null : saidUrl({ q: words, after: found.next }),
  })
}

const NOTHING = { items: [], next: null, isFirst: true }

async function findSaid({ viewer, pages: { site } }: Scene, words: string, query: Query) {
  const asked = { words, under: null }
  return partBehind(textOf(query, 'after') || null, after =>
    searchHistory(site, viewer, asked, { limit: WORDINGS_DEFAULT, after }),
  )
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
