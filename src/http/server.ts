import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import fastify, { type FastifyHttpOptions, type FastifyInstance, LogController } from 'fastify'
import type { TSchema } from 'typebox'
import { PATH_MAX } from '../content/limits.ts'
import { addBlobStores } from './blob-stores.ts'
import { HTTP_DEFAULTS, type HttpContext, type HttpOptions } from './context.ts'
import { addAsOf } from './plugins/as-of.ts'
import { addBodies } from './plugins/bodies.ts'
import { addCsrf } from './plugins/csrf.ts'
import { addDrain } from './plugins/drain.ts'
import { addErrors } from './plugins/errors.ts'
import { addHeaders } from './plugins/headers.ts'
import { addIdempotency } from './plugins/idempotency.ts'
import { addMetrics } from './plugins/metrics.ts'
import { addOpenApi } from './plugins/openapi.ts'
import { addPreferWait } from './plugins/prefer-wait.ts'
import { addProjectionMetrics } from './plugins/projection-metrics.ts'
import { addSlowBodies } from './plugins/slow-bodies.ts'
import { addSpeaker } from './plugins/speaker.ts'
import { addWorkerMetrics } from './plugins/worker-metrics.ts'
import { PROBLEM_TYPE, problemOf } from './problem.ts'
import { answerRaw, unparsedError } from './raw-answer.ts'
import { addRouteTable } from './route-table.ts'
import { addRoutes } from './routes.ts'
import { compileCheck } from './validate.ts'

const BODY_MAX_BYTES = 5 * 1024 * 1024
/** A client that sends slowly is cut off: header fields, then the whole request. Bodies but files have less: `plugins/slow-bodies.ts`. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 600_000
const HEADER_MAX_BYTES = 16_384
const HEADERS_MAX = 100

/** What is given to `buildServer`; options that are left out are those of `HTTP_DEFAULTS`. */
export type ServerContext = Omit<HttpContext, 'options' | 'appends'> & {
  readonly appends?: HttpContext['appends']
  readonly options?: Partial<HttpOptions>
}

/**
 * The web server of a site, not listening yet.
 *
 * Others add routes to it before it is ready, with `server.register(async scope => …)`; each declares `config.access`.
 * `server.close()` lets requests under way end (see `plugins/drain.ts`); the site stays open.
 */
export function buildServer(given: ServerContext): FastifyInstance {
  const context: HttpContext = {
    ...given,
    appends: given.appends ?? null,
    options: { ...HTTP_DEFAULTS, ...given.options },
  }
  const { site, wakeups, options } = context
  const server = fastify(serverOptions(options))
  server.server.maxHeadersCount = HEADERS_MAX
  // RFC 9110 lets a server leave expectations alone that it does not know
  server.server.on('checkExpectation', (request, response) => {
    server.server.emit('request', request, response)
  })
  server.setValidatorCompiler(({ schema, httpPart }) => compileCheck(schema as TSchema, httpPart))
  // answers are text already, or small: their schemas describe them and cost nothing
  server.setSerializerCompiler(() => data => JSON.stringify(data))

  const table = addRouteTable(server)
  const metrics = addMetrics(server, context)
  addWorkerMetrics(metrics.registry, site)
  addProjectionMetrics(metrics.registry, site.db, wakeups)
  server.addHook('onClose', async () => metrics.close())
  addHeaders(server)
  addErrors(server, table)
  addDrain(server)
  addSlowBodies(server)
  addSpeaker(server, site)
  addAsOf(server, site)
  addBodies(server)
  addCsrf(server, options.sessionSecret)
  addIdempotency(server, site)
  addPreferWait(server, site)
  addOpenApi(server)
  addBlobStores(server, options)
  addRoutes(server, context, metrics)
  return server
}

function serverOptions(options: HttpOptions): FastifyHttpOptions<Server> {
  const { trustProxy, logLevel, logStream } = options
  const nextId = requestIds()
  return {
    logger: { level: logLevel, ...(logStream && { stream: logStream }) },
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: nextId,
    requestIdHeader: false,
    trustProxy: typeof trustProxy === 'object' ? [...trustProxy] : (trustProxy as false),
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: HEADER_MAX_BYTES,
    },
    return503OnClosing: false,
    routerOptions: { maxParamLength: PATH_MAX },
    frameworkErrors: (thrown, request, reply) => {
      const { problem } = problemOf(thrown, request.id)
      const answer = reply as unknown as { code(status: number): typeof answer } & {
        header(name: string, value: string): typeof answer
        send(text: string): void
      }
      answer.code(problem.status).header('Content-Type', PROBLEM_TYPE)
      answer.header('RM3-Request-Id', request.id).header('Cache-Control', 'no-store')
      answer.send(JSON.stringify(problem))
    },
    clientErrorHandler: (thrown, socket) => {
      if (thrown.code === 'ECONNRESET' || !socket.writable) socket.destroy()
      else answerRaw(socket, unparsedError(thrown.code), nextId())
    },
  }
}

/** Ids that cannot be guessed before or be given from outside, and that sort by time within a process. */
function requestIds(): () => string {
  const process = randomBytes(9).toString('base64url')
  let count = 0
  return () => `${process}-${(++count).toString(36)}`
}
