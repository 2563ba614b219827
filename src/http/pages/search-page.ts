import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isUnder } from '../../content/path.ts'
import { demandMoment } from '../../queries/at.ts'
import { type Found, HITS_DEFAULT, searchPages, WORDS_CHARS_MAX } from '../../queries/search.ts'
import { SAID_URL } from '../../scheme/frame.ts'
import { renderSearch } from '../../scheme/search-view.ts'
import { withQuery } from '../../scheme/site-urls.ts'
import type { SearchHit } from '../../scheme/views.ts'
import { ROOT, SEARCH_URL } from './around.ts'
import { queryOf, textOf, wordsOf } from './asked.ts'
import { partBehind } from './part-behind.ts'
import { linkQueryOf, type Pages, type Scene, urlIn } from './scene.ts'
import { sendFresh } from './send-html.ts'
import { standing } from './standing.ts'
import { withoutSlash } from './without-slash.ts'

const ROUTE = { config: { access: 'view', asOf: true }, schema: { hide: true } } as const

/** `/$search/`: what the site has, or had as of `?at=`, with the words of `?q=`, a part at a time by `?after=`. */
export function searchPage(server: FastifyInstance, pages: Pages): void {
  withoutSlash(server, SEARCH_URL, ROUTE)
  // what someone looks for is kept by no cache
  server.get(SEARCH_URL, ROUTE, async (request, reply) =>
    sendFresh(reply, await answer(pages, request)),
  )
}

async function answer(pages: Pages, request: FastifyRequest): Promise<string> {
  const query = queryOf(request)
  const words = wordsOf(query, WORDS_CHARS_MAX)
  const after = textOf(query, 'after') || null
  const { scene, frame } = await standing(pages, request, demandMoment(request.at))
  const found = words === '' ? NOTHING : await findHits(scene, words, after)
  return renderSearch(pages.scheme, {
    ...{ frame, words, action: SEARCH_URL },
    hits: found.items.map(hit => hitOf(scene, hit)),
    firstUrl: found.isFirst ? null : searchUrl(scene, words, null),
    nextUrl: found.next === null ? null : searchUrl(scene, words, found.next),
    saidUrl: saidUrlFor(scene, words),
  })
}

const NOTHING = { items: [], next: null, isFirst: true }

async function findHits(
  { viewer, when, pages: { site } }: Scene,
  words: string,
  behind: string | null,
) {
  const asked = { words, below: null, hidden: false }
  return partBehind(behind, after =>
    searchPages(site, viewer, asked, { limit: HITS_DEFAULT, after, when }),
  )
}

function hitOf(scene: Scene, { path, title, snippet, modified }: Found): SearchHit {
  const url = isUnder(path, ROOT) ? urlIn(scene, path) : null
  return { title, path, url, snippet, modified }
}

function saidUrlFor({ viewer }: Scene, words: string): string | null {
  if (words === '' || !viewer.may('history', ROOT)) return null
  return withQuery(SAID_URL, new URLSearchParams({ q: words }).toString())
}

function searchUrl(scene: Scene, words: string, after: string | null): string {
  const query = new URLSearchParams({ q: words, ...(after !== null && { after }) })
  return withQuery(withQuery(SEARCH_URL, query.toString()), linkQueryOf(scene))
}
