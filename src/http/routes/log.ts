import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Viewer } from '../../access/viewer.ts'
import { speakerOfSession, speakerOfToken } from '../../commands/login.ts'
import { Rm3Error } from '../../errors.ts'
import { readHead } from '../../log/read.ts'
import { demandMoment, pastPosition } from '../../queries/at.ts'
import { FEED_MAX, readFeed } from '../../queries/feed.ts'
import { viewerOf } from '../../queries/reader.ts'
import type { HttpContext } from '../context.ts'
import { feedEntryText } from '../feed-text.ts'
import { streamLog } from '../log-stream.ts'
import { readerOf } from '../plugins/speaker.ts'
import { networkOf } from '../rate-limit.ts'
import { sendTimed } from '../reply.ts'
import { AT, answers, listOf, query, whole } from '../schemas.ts'

const FEED_DEFAULT = 100
/** Event streams of one process, and of one address. */
const STREAMS_MAX = 500
const STREAMS_OF_ADDRESS_MAX = 10
const POSITION = whole(0, Number.MAX_SAFE_INTEGER)
const TYPE = Type.String({ pattern: '^[A-Z][A-Za-z]{0,63}$', maxLength: 64 })

interface LogRequest {
  Querystring: { after?: number; limit?: number; type?: string; at?: string }
}

const tags = ['log']
const ENTRY = Type.Object({}, { additionalProperties: true })

/** `GET /api/log` and `/api/log/stream`. */
export function logRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  server.get<LogRequest>(
    '/api/log',
    {
      config: { access: 'history', asOf: true },
      schema: {
        tags,
        summary: 'Events after a position, as far as one may see them',
        description:
          '`limit` counts positions looked at, so there may be fewer items. `next` is the position to go on after; null at the end, where `position` says how far that was.',
        querystring: query({ after: POSITION, limit: whole(1, FEED_MAX), type: TYPE, at: AT }),
        response: answers({ 200: listOf(ENTRY) }),
      },
    },
    async (request, reply) => {
      const { after = 0, limit = FEED_DEFAULT, type = null } = request.query
      const viewer = await viewerOf(site, readerOf(request))
      const when = demandMoment(request.at)
      const head = pastPosition(when) ?? (await readHead(site.db)).position
      const { items, scanned } = await readFeed(site, viewer, { after, limit, type, head })
      const next = scanned < head ? `"${scanned}"` : 'null'
      const entries = items.map(feedEntryText).join(',')
      reply.header('RM3-Position', head)
      const json = `{"items":[${entries}],"next":${next},"position":${scanned}}`
      return sendTimed(request, reply, when, json)
    },
  )
  streamRoute(server, context)
}

function streamRoute(server: FastifyInstance, context: HttpContext): void {
  const open = new Map<string, number>()
  server.get<LogRequest>(
    '/api/log/stream',
    {
      config: { access: 'history' },
      schema: {
        tags,
        summary: 'Events as they happen (server-sent events); resumable with Last-Event-ID',
        querystring: query({ after: POSITION, type: TYPE }),
        response: answers({ 200: Type.String() }),
      },
    },
    async (request, reply) => {
      const after = await afterOf(context, request)
      const address = networkOf(request.ip)
      demandPlace(server, open, address)
      open.set(address, (open.get(address) ?? 0) + 1)
      const end = start(context, request, reply, after)
      server.drain.streams.add(end)
      reply.raw.on('close', () => {
        server.drain.streams.delete(end)
        const left = (open.get(address) ?? 1) - 1
        if (left > 0) open.set(address, left)
        else open.delete(address)
      })
      return reply
    },
  )
}

function demandPlace(
  server: FastifyInstance,
  open: ReadonlyMap<string, number>,
  address: string,
): void {
  const full =
    server.drain.streams.size >= STREAMS_MAX || (open.get(address) ?? 0) >= STREAMS_OF_ADDRESS_MAX
  if (!full) return
  throw new Rm3Error('RATE_LIMITED', 'too many event streams are open', { retryAfterSeconds: 30 })
}

/** Where a stream begins: behind `Last-Event-ID`, behind `after`, or now. @throws REQUEST_INVALID */
async function afterOf(
  { site }: HttpContext,
  request: FastifyRequest<LogRequest>,
): Promise<number> {
  const last = request.headers['last-event-id']
  if (typeof last === 'string' && last !== '') {
    if (/^(0|[1-9]\d{0,14})$/.test(last)) return Number(last)
    throw new Rm3Error('REQUEST_INVALID', 'Last-Event-ID is not a position', {
      header: 'Last-Event-ID',
    })
  }
  return request.query.after ?? (await readHead(site.db)).position
}

function start(
  context: HttpContext,
  request: FastifyRequest<LogRequest>,
  reply: FastifyReply,
  after: number,
): () => void {
  const { site, wakeups } = context
  reply.hijack()
  reply.raw.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Accel-Buffering': 'no',
    'RM3-Request-Id': request.id,
  })
  reply.raw.write('retry: 2000\n\n')
  const type = request.query.type ?? null
  return streamLog(reply.raw, {
    site,
    wakeups,
    after,
    type,
    viewer: () => viewerNow(context, request),
  })
}

/** The rights of who opened a stream, as they are by now; null when the token or the session is over. */
async function viewerNow({ site }: HttpContext, request: FastifyRequest): Promise<Viewer | null> {
  if (request.speaker === null) return viewerOf(site, null)
  if (request.sessionId !== null) {
    return (await speakerOfSession(site, request.sessionId))?.viewer ?? null
  }
  const token = /^bearer +(\S+)/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const speaker = await speakerOfToken(site, token).catch(thrown => {
    if (thrown instanceof Rm3Error && thrown.code === 'TOKEN_INVALID') return null
    throw thrown
  })
  return speaker?.viewer ?? null
}
