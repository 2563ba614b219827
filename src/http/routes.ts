import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'
import { htmlRoutes } from './pages/html-routes.ts'
import type { Metrics } from './plugins/metrics.ts'
import { batchRoutes } from './routes/batch.ts'
import { docsRoutes } from './routes/docs.ts'
import { healthRoutes } from './routes/health.ts'
import { logRoutes } from './routes/log.ts'
import { pageActionRoutes } from './routes/page-actions.ts'
import { pageCreateRoutes } from './routes/page-create.ts'
import { pageEditRoutes } from './routes/page-edits.ts'
import { pageListRoutes } from './routes/page-lists.ts'
import { pageReadRoutes } from './routes/page-reads.ts'
import { pageUrlRoutes } from './routes/page-urls.ts'
import { revisionRoutes } from './routes/revisions.ts'
import { sessionRoutes } from './routes/session.ts'
import { tokenRoutes } from './routes/tokens.ts'

/** Adds all routes: the API and the pages. They come in a scope of their own, after the plugins have been loaded. */
export function addRoutes(server: FastifyInstance, context: HttpContext, metrics: Metrics): void {
  server.decorate('pageHtml', { render: null })
  server.register(async scope => {
    pageReadRoutes(scope, context)
    pageListRoutes(scope, context)
    pageCreateRoutes(scope, context)
    pageEditRoutes(scope, context)
    pageActionRoutes(scope, context)
    pageUrlRoutes(scope, context)
    revisionRoutes(scope, context)
    batchRoutes(scope, context)
    logRoutes(scope, context)
    sessionRoutes(scope, context)
    tokenRoutes(scope, context)
    healthRoutes(scope, context, metrics)
    docsRoutes(scope)
    htmlRoutes(scope, context)
  })
}
