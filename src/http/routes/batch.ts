import type { FastifyInstance } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { changeAndForget } from '../../commands/accounts.ts'
import type { Change } from '../../commands/change.ts'
import {
  deletePage,
  movePage,
  publishPage,
  restoreRevision,
  revisePage,
  undeletePage,
} from '../../commands/pages.ts'
import { checkDocument } from '../../content/check-document.ts'
import { parsePath } from '../../content/path.ts'
import type { Entity } from '../../content/state.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import type { HttpContext } from '../context.ts'
import { jsonPatchEdit, mergePatchEdit, replacingEdit } from '../edits.ts'
import { createPageAt, demandUnchanged, placeOf } from '../page-writes.ts'
import { authorOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import {
  answers,
  body,
  DOCUMENT,
  ESSENTIALS,
  NO_QUERY,
  NOTE,
  REVISION,
  WRITE_HEADERS,
} from '../schemas.ts'
import { essentialsOf, positionOf } from '../write-answer.ts'

/** Most operations of one batch. */
const OPERATIONS_MAX = 100

interface Operation {
  op: string
  path?: string
  parent?: string
  ifMatch?: string
  to?: string
  redirect?: string
  revision?: number
  draft?: boolean
  minor?: boolean
  patch?: unknown
  merge?: unknown
  [member: string]: unknown
}

const text = Type.String()
const flag = Type.Optional(Type.Boolean())
const path = { path: text }
const ifMatch = { ifMatch: Type.Optional(text) }

/** One operation: what it carries besides `op`, and what it does. */
interface Kind {
  readonly members: Record<string, TSchema>
  run(change: Change, operation: Operation): Promise<Entity>
}

const KINDS: Readonly<Record<string, Kind>> = {
  create: {
    members: { path: Type.Optional(text), parent: Type.Optional(text), ...DOCUMENT, draft: flag },
    run: (it, { op: _, path, parent, draft = false, ...members }) =>
      createPageAt(it, placeOf(path, parent), { document: checkDocument(members), draft }),
  },
  update: {
    members: { ...path, ifMatch: text, ...DOCUMENT, draft: flag, minor: flag },
    run: (it, { op: _, path, ifMatch = '', draft = false, minor = false, ...members }) =>
      revisePage(it, pathOf(path), { ifMatch, edit: replacingEdit(members), draft, minor }),
  },
  patch: {
    members: {
      ...path,
      ifMatch: text,
      patch: Type.Optional(Type.Unknown()),
      merge: Type.Optional(Type.Unknown()),
      draft: flag,
      minor: flag,
    },
    run: (it, { path, ifMatch = '', draft = false, minor = false, patch, merge }) => {
      const edit = merge === undefined ? jsonPatchEdit(patch) : mergePatchEdit(merge)
      return revisePage(it, pathOf(path), { ifMatch, edit, draft, minor })
    },
  },
  move: {
    members: { ...path, to: text, ...ifMatch },
    run: (it, { path, to }) => movePage(it, pathOf(path), pathOf(to)),
  },
  delete: {
    members: { ...path, redirect: Type.Optional(text), ...ifMatch },
    run: (it, { path, redirect }) => deletePage(it, pathOf(path), redirect),
  },
  publish: {
    members: { ...path, revision: REVISION, ...ifMatch },
    run: (it, { path, revision = 0 }) => publishPage(it, pathOf(path), revision),
  },
  restore: {
    members: { ...path, revision: REVISION, draft: flag, ...ifMatch },
    run: (it, { path, revision = 0, draft = false }) =>
      restoreRevision(it, pathOf(path), { revision, draft }),
  },
  undelete: {
    members: { ...path, to: Type.Optional(text) },
    run: (it, { path, to }) =>
      undeletePage(it, pathOf(path), to === undefined ? undefined : pathOf(to)),
  },
}

const OPERATION = Type.Union(
  Object.entries(KINDS).map(([op, { members }]) =>
    Type.Object({ op: Type.Literal(op), ...members }, { additionalProperties: false }),
  ),
)

/** `POST /api/batch`: several operations, all or nothing. Paths are those from before the batch. */
export function batchRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.post<{ Body: { operations: Operation[]; note?: string } }>(
    '/api/batch',
    {
      config: { access: 'each', idempotent: true },
      schema: {
        tags: ['pages'],
        summary: 'Several changes at once, all or nothing',
        querystring: NO_QUERY,
        headers: WRITE_HEADERS,
        body: body({
          operations: Type.Array(OPERATION, { minItems: 1, maxItems: OPERATIONS_MAX }),
          note: Type.Optional(NOTE),
        }),
        response: answers({
          200: body({ position: Type.Integer(), results: Type.Array(ESSENTIALS) }),
        }),
      },
    },
    async (request, reply) => {
      const { operations, note } = request.body
      const author = await authorOf(site, request, note)
      const written = await changeAndForget(site, author, it => runAll(it, operations))
      const position = await positionOf(site, written)
      const results = written.result.map(entity => essentialsOf(entity, written.events, position))
      reply.header('RM3-Position', position)
      return sendJson(reply, JSON.stringify({ position, results }))
    },
  )
}

async function runAll(change: Change, operations: readonly Operation[]): Promise<Entity[]> {
  const entities: Entity[] = []
  for (const [index, operation] of operations.entries()) {
    try {
      if (operation.op !== 'update' && operation.op !== 'patch') {
        await demandUnchanged(change, pathOf(operation.path ?? 'wh'), operation.ifMatch ?? null)
      }
      entities.push(await (KINDS[operation.op] as Kind).run(change, operation))
    } catch (thrown) {
      throw atIndex(thrown, index)
    }
  }
  return entities
}

/** The same error, with the operation that it is of. */
function atIndex(thrown: unknown, operation: number): unknown {
  if (!isRm3Error(thrown)) return thrown
  const details = { ...thrown.details, operation, cause: thrown }
  return new Rm3Error(thrown.code, `operation ${operation}: ${thrown.message}`, details)
}

function pathOf(text: string | undefined): string {
  return parsePath(text ?? '')
}
