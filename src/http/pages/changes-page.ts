import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isUnder } from '../../content/path.ts'
import { readChanges, type Save } from '../../queries/changes.ts'
import { renderChanges } from '../../scheme/changes-view.ts'
import { CHANGES_URL } from '../../scheme/frame.ts'
import { urlOfPath, withQuery } from '../../scheme/site-urls.ts'
import type { SaveView } from '../../scheme/views-of-past.ts'
import { changesAsked } from '../routes/changes.ts'
import { actorPerson, ROOT } from './around.ts'
import { queryOf, textOf } from './asked.ts'
import { URL_OF_CHANGES_FEED } from './changes-feed.ts'
import { partBehind } from './part-behind.ts'
import type { Pages, Scene } from './scene.ts'
import { sendFresh } from './send-html.ts'
import { standing } from './standing.ts'
import { withoutSlash } from './without-slash.ts'

const ROUTE = { config: { access: 'history' }, schema: { hide: true } } as const
const SAVES = 30
const NAMES = ['from', 'to', 'under', 'author'] as const

/** `/$changes/`: what changed on the site, as far as the reader may hear of it, a part at a time by `?after=`. */
export function changesPage(server: FastifyInstance, pages: Pages): void {
  withoutSlash(server, CHANGES_URL, ROUTE)
  server.get(CHANGES_URL, ROUTE, async (request, reply) =>
    sendFresh(reply, await answer(pages, request)),
  )
}

async function answer(pages: Pages, request: FastifyRequest): Promise<string> {
  const query = queryOf(request)
  const chosen = Object.fromEntries(
    NAMES.flatMap(name => {
      const value = textOf(query, name)?.trim() ?? ''
      return value === '' ? [] : [[name, value]]
    }),
  )
  const asked = await changesAsked(pages.site.db, chosen)
  const { scene, frame } = await standing(pages, request)
  const found = await partBehind(textOf(query, 'after') || null, after =>
    readChanges(pages.site, scene.viewer, asked, { limit: SAVES, after }),
  )
  const urlWith = (more: Record<string, string>) =>
    withQuery(CHANGES_URL, new URLSearchParams({ ...chosen, ...more }).toString())
  const { from = '', to = '', under = '', author = '' } = chosen
  return renderChanges(pages.scheme, {
    ...{ frame, action: CHANGES_URL },
    chosen: { from, to, under, author, isSet: Object.keys(chosen).length > 0 },
    saves: found.items.map(save => saveView(scene, save)),
    feedUrl: withQuery(URL_OF_CHANGES_FEED, new URLSearchParams(chosen).toString()),
    firstUrl: found.isFirst ? null : urlWith({}),
    nextUrl: found.next === null ? null : urlWith({ after: found.next }),
  })
}

function saveView({ viewer }: Scene, save: Save): SaveView {
  const { at, position, actor, actorName, actorPath, note, changes } = save
  const url = actorPath !== null && viewer.may('view', actorPath) ? urlOfPath(actorPath) : null
  return {
    ...{ at, note },
    author: actorPerson(actor, actorName, url),
    timeUrl: withQuery(urlOfPath(ROOT), `at=position%3A${position}`),
    changes: changes.map(({ title, path, was, now, type }) => ({
      ...{ title, path, was, type },
      url: now !== null && isUnder(now, ROOT) ? `${urlOfPath(now)}history.html` : null,
    })),
  }
}
