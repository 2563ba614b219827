import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'
import type { Metrics } from './plugins/metrics.ts'
import { pageActionRoutes } from './routes/page-actions.ts'
import { pageCreateRoutes } from './routes/page-create.ts'
import { pageEditRoutes } from './routes/page-edits.ts'
import { pageListRoutes } from './routes/page-lists.ts'
import { pageReadRoutes } from './routes/page-reads.ts'

/** Adds all routes of the API. They come in a scope of their own, after the plugins have been loaded. */
export function addRoutes(server: FastifyInstance, context: HttpContext, _metrics: Metrics): void {
  server.register(async scope => {
    pageReadRoutes(scope, context)
    pageListRoutes(scope, context)
    pageCreateRoutes(scope, context)
    pageEditRoutes(scope, context)
    pageActionRoutes(scope, context)
  })
}
