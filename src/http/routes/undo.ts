import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { changeAndForget } from '../../commands/accounts.ts'
import { rehearse } from '../../commands/rehearse.ts'
import { undoSelected } from '../../commands/undo.ts'
import { readHead } from '../../log/read.ts'
import { type UndoAsked, undoSelectorOf } from '../../queries/undo-selector.ts'
import type { HttpContext } from '../context.ts'
import { authorOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import { AT, answers, body, NO_QUERY, NOTE, UUID_TEXT, WRITE_HEADERS } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

interface UndoRequest {
  Body: UndoAsked & { dryRun?: boolean; note?: string }
}

const CONFLICT = Type.Object(
  { path: Type.String() },
  { additionalProperties: true, description: 'What was changed since in another way, and stays' },
)
const NAMED = {
  kind: Type.Enum(['grant', 'role', 'setting', 'credential', 'schedule']),
  key: Type.String(),
}
const FACT = Type.Object({ ...NAMED, value: Type.Any({ description: 'null: it is not so' }) })
const PAGE = Type.Object({
  entityId: Type.String(),
  path: Type.String(),
  to: Type.Union([Type.String(), Type.Null()]),
  steps: Type.Array(Type.Enum(['delete', 'undelete', 'move', 'revise', 'files', 'draft'])),
  conflicts: Type.Array(CONFLICT),
  facts: Type.Array(FACT),
})
const LEFT = Type.Object({
  entityId: Type.String(),
  path: Type.String(),
  why: Type.String(),
  fact: Type.Optional(Type.Object(NAMED)),
})

/** `POST /api/undo`. */
export function undoRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.post<UndoRequest>(
    '/api/undo',
    {
      config: { access: 'each', idempotent: true },
      schema: {
        tags: ['history'],
        summary: 'Undo what a user, a token or an import did',
        querystring: NO_QUERY,
        headers: WRITE_HEADERS,
        body: body({
          user: Type.Optional(
            Type.String({ maxLength: 100, description: 'Login name or entity id' }),
          ),
          token: Type.Optional(UUID_TEXT),
          import: Type.Optional(
            Type.String({ maxLength: 100, description: 'Id of an import, or git, rm3dump, …' }),
          ),
          undo: Type.Optional(UUID_TEXT),
          from: Type.Optional({
            ...AT,
            description: 'Only what was done after this moment: as `at`',
          }),
          to: Type.Optional({ ...AT, description: 'Only what was done by this moment: as `at`' }),
          under: Type.Optional(Type.String({ maxLength: 2_000 })),
          dryRun: Type.Optional(Type.Boolean()),
          note: Type.Optional(NOTE),
        }),
        response: answers({
          200: body({
            undo: Type.Union([Type.String(), Type.Null()]),
            dryRun: Type.Boolean(),
            position: Type.Integer(),
            pages: Type.Array(PAGE),
            site: Type.Array(FACT),
            left: Type.Array(LEFT),
          }),
        }),
      },
    },
    async (request, reply) => {
      const { dryRun = false, note, ...asked } = request.body
      const keeps = request.speaker?.credential ?? null
      const selector = await undoSelectorOf(site.db, asked, keeps)
      const author = await authorOf(site, request, note)
      if (dryRun) {
        const { result } = await rehearse(site, author, it => undoSelected(it, selector))
        const { position } = await readHead(site.db)
        return sendJson(reply, JSON.stringify({ undo: null, dryRun, position, ...result }))
      }
      const undo = site.newId()
      const marked = { ...author, meta: { ...author.meta, undo } }
      const written = await changeAndForget(site, marked, it => undoSelected(it, selector))
      const position = await positionOf(site, written)
      const done = written.events.length > 0 ? undo : null
      reply.header('RM3-Position', position)
      return sendJson(reply, JSON.stringify({ undo: done, dryRun, position, ...written.result }))
    },
  )
}
