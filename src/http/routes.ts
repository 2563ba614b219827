import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'
import { htmlRoutes } from './pages/html-routes.ts'
import type { Metrics } from './plugins/metrics.ts'
import { activityRoutes } from './routes/activity.ts'
import { batchRoutes } from './routes/batch.ts'
import { blameRoutes } from './routes/blame.ts'
import { blobRoutes } from './routes/blobs.ts'
import { changeRoutes } from './routes/changes.ts'
import { configRoutes } from './routes/config.ts'
import { diffRoutes } from './routes/diff.ts'
import { docsRoutes } from './routes/docs.ts'
import { explainRoutes } from './routes/explain.ts'
import { grantRoutes, roleRoutes } from './routes/grants.ts'
import { healthRoutes } from './routes/health.ts'
import { historySearchRoutes } from './routes/history-search.ts'
import { importRoutes } from './routes/imports.ts'
import { linkRoutes } from './routes/links.ts'
import { logRoutes } from './routes/log.ts'
import { pageActionRoutes } from './routes/page-actions.ts'
import { pageBlobRoutes } from './routes/page-blobs.ts'
import { pageCreateRoutes } from './routes/page-create.ts'
import { pageEditRoutes } from './routes/page-edits.ts'
import { pageListRoutes } from './routes/page-lists.ts'
import { pageReadRoutes } from './routes/page-reads.ts'
import { pageReturnRoutes } from './routes/page-returns.ts'
import { pageScheduleRoutes } from './routes/page-schedule.ts'
import { pageUrlRoutes } from './routes/page-urls.ts'
import { revisionRoutes } from './routes/revisions.ts'
import { searchRoutes } from './routes/search.ts'
import { sessionRoutes } from './routes/session.ts'
import { timemapRoutes } from './routes/timemap.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { undoRoutes } from './routes/undo.ts'
import { userRoutes } from './routes/users.ts'

/** Adds all routes: the API and the pages. They come in a scope of their own, after the plugins have been loaded. */
export function addRoutes(server: FastifyInstance, context: HttpContext, metrics: Metrics): void {
  server.decorate('pageHtml', { render: null })
  server.register(async scope => {
    pageReadRoutes(scope, context)
    pageListRoutes(scope, context)
    pageCreateRoutes(scope, context)
    pageEditRoutes(scope, context)
    pageActionRoutes(scope, context)
    pageReturnRoutes(scope, context)
    pageScheduleRoutes(scope, context)
    searchRoutes(scope, context)
    linkRoutes(scope, context)
    activityRoutes(scope, context)
    changeRoutes(scope, context)
    pageUrlRoutes(scope, context)
    pageBlobRoutes(scope, context)
    blobRoutes(scope, context)
    revisionRoutes(scope, context)
    timemapRoutes(scope, context)
    diffRoutes(scope, context)
    blameRoutes(scope, context)
    historySearchRoutes(scope, context)
    batchRoutes(scope, context)
    undoRoutes(scope, context)
    importRoutes(scope, context)
    logRoutes(scope, context)
    sessionRoutes(scope, context)
    tokenRoutes(scope, context)
    userRoutes(scope, context)
    grantRoutes(scope, context)
    roleRoutes(scope, context)
    explainRoutes(scope, context)
    configRoutes(scope, context)
    healthRoutes(scope, context, metrics)
    docsRoutes(scope)
    htmlRoutes(scope, context)
  })
}
