import type { FastifyInstance } from 'fastify'
import { loadScheme } from '../../scheme/scheme.ts'
import type { HttpContext } from '../context.ts'
import { atomFeed } from './atom-feed.ts'
import { Changes } from './changes.ts'
import { changesFeed } from './changes-feed.ts'
import { changesPage } from './changes-page.ts'
import { errorPage } from './error-page.ts'
import { KeptPages } from './kept-pages.ts'
import { Memories } from './memory.ts'
import { answerPage } from './page-routes.ts'
import { restorePage } from './restore-page.ts'
import { saidPage } from './said-page.ts'
import type { Pages } from './scene.ts'
import { searchPage } from './search-page.ts'
import { sessionPages } from './session-pages.ts'
import { SharedHead } from './shared-head.ts'
import { NamesReader } from './site-names.ts'
import { staticFiles } from './static-files.ts'

/** Serves pages as HTML, the search, logging in and out with a browser, errors as pages, and the scheme's static files. */
export function htmlRoutes(server: FastifyInstance, { site, options }: HttpContext): void {
  const pages: Pages = {
    site,
    options,
    scheme: loadScheme(),
    names: new NamesReader(),
    kept: new KeptPages(new Changes(site.db)),
    head: new SharedHead(site.db),
    memories: new Memories(),
  }
  server.pageHtml.render = (request, reply, target) => answerPage(pages, request, reply, target)
  server.errorPage.render = (request, reply, answer) => errorPage(pages, request, reply, answer)
  sessionPages(server, pages)
  searchPage(server, pages)
  atomFeed(server, pages)
  changesFeed(server, pages)
  changesPage(server, pages)
  saidPage(server, pages)
  restorePage(server, pages)
  staticFiles(server, pages.scheme)
}
