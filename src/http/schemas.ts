import Type, { type TSchema } from 'typebox'
import { PATH_MAX } from '../content/limits.ts'

const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
const closed = { additionalProperties: false }

/** Parameters in the address. */
export const PATH_PARAMS = Type.Object(
  {
    path: Type.String({ maxLength: PATH_MAX, description: 'Dotted path, such as wh.blog.my_post' }),
  },
  closed,
)
/** An id as text. */
export const UUID_TEXT = Type.String({ pattern: UUID })
export const ID_PARAMS = Type.Object({ id: Type.String({ pattern: UUID }) }, closed)

/** A query with these parameters, none of which is required, and no other. */
export function query(properties: Record<string, TSchema>): TSchema {
  const optional = Object.entries(properties).map(([name, type]) => [name, Type.Optional(type)])
  return Type.Object(Object.fromEntries(optional), closed)
}

export const NO_QUERY = query({})
export const AT = Type.String({
  maxLength: 60,
  description: 'As of when: position:N, revision:N or an RFC 3339 instant',
})
export const AFTER = Type.String({ maxLength: 4_000, description: '`next` of the page before' })
export const INSTANT = Type.String({ maxLength: 40, description: 'RFC 3339' })

/** Whole numbers from `minimum` to `maximum`. */
export function whole(minimum: number, maximum: number, description?: string): TSchema {
  return Type.Integer({ minimum, maximum, ...(description !== undefined && { description }) })
}

export const REVISION = whole(1, 2_147_483_647, 'Place in the stream of the entity, from 1')

const JSON_OBJECT = Type.Object({}, { additionalProperties: true })

/** The members of a document as callers send it; what is in them is checked by `checkDocument`. */
export const DOCUMENT = {
  proto: Type.Unknown({ type: 'string', description: 'What kind of page it is' }),
  hidden: Type.Optional(Type.Unknown({ type: 'boolean' })),
  summary: Type.Unknown({ type: 'object', description: 'The small part: title, abstract' }),
  data: Type.Unknown({ type: 'object', description: 'The large part' }),
  tags: Type.Optional(Type.Unknown({ type: 'object' })),
}
export const NOTE = Type.String({ maxLength: 2_000, description: "The editor's comment" })

/** A body with these members and no other. */
export function body(properties: Record<string, TSchema>): TSchema {
  return Type.Object(properties, closed)
}

export const PROBLEM = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    requestId: Type.String(),
  },
  { additionalProperties: true, description: 'What went wrong' },
)

export const RECORD = Type.Object(
  {
    path: Type.String(),
    entityId: Type.String(),
    revisionId: Type.String(),
    revisionNum: Type.Integer(),
    revision: Type.Integer(),
    proto: Type.String(),
    hidden: Type.Boolean(),
    created: INSTANT,
    modified: INSTANT,
    touched: INSTANT,
    author: Type.String(),
    summary: JSON_OBJECT,
    data: JSON_OBJECT,
    tags: JSON_OBJECT,
    position: Type.Integer(),
    draft: Type.Boolean(),
  },
  { description: 'The page' },
)

export const ESSENTIALS = Type.Object(
  {
    path: Type.String(),
    entityId: Type.String(),
    revision: Type.Integer(),
    revisionId: Type.String(),
    revisionNum: Type.Union([Type.Integer(), Type.Null()]),
    state: Type.Enum(['draft', 'live', 'deleted']),
    draft: Type.Boolean(),
    etag: Type.String(),
    position: Type.Integer(),
  },
  { description: 'Where the page is now and at which revision' },
)

const NULLABLE_TEXT = Type.Union([Type.String(), Type.Null()])

export const REVISION_ENTRY = Type.Object({
  revisionId: Type.String(),
  revision: Type.Integer(),
  position: Type.Integer(),
  type: Type.String(),
  at: INSTANT,
  actor: Type.String(),
  actorName: NULLABLE_TEXT,
  actorPath: NULLABLE_TEXT,
  door: NULLABLE_TEXT,
  note: NULLABLE_TEXT,
  draft: Type.Boolean(),
  erased: Type.Boolean(),
})

/** A list with a cursor. */
export function listOf(item: TSchema): TSchema {
  return Type.Object(
    { items: Type.Array(item), next: NULLABLE_TEXT },
    { description: 'A part of the list; `next` goes into `after`' },
  )
}

/** Answers by status, with problem+json for all others. */
export function answers(good: Record<number, TSchema>): Record<string, unknown> {
  return {
    ...good,
    default: {
      description: 'An error',
      content: { 'application/problem+json': { schema: PROBLEM } },
    },
  }
}

/** The bytes of a file. */
export const FILE = Type.String({ format: 'binary', description: 'The bytes' })

export const EMPTY = Type.Null({ description: 'Done' })

const header = (description: string, values?: string[]) =>
  Type.Optional(Type.String({ description, ...(values && { enum: values }) }))

/** Headers of reads. */
export const READ_HEADERS = Type.Object({ 'If-None-Match': header('ETag that is known already') })
const PREFER = {
  Prefer: header('wait=SECONDS: the answer waits until search and the like have seen the change'),
}
/** Headers of writes that may be repeated. */
export const WRITE_HEADERS = Type.Object({
  ...PREFER,
  'Idempotency-Key': header('Makes repeating the request safe for 24 hours'),
  'RM3-Note': header("The editor's comment, UTF-8 or RFC 8187"),
})
/** Headers of edits. */
export const EDIT_HEADERS = Type.Object({
  ...PREFER,
  'If-Match': header('ETag of what was edited, several, or *; required'),
  'Idempotency-Key': header('Makes repeating the request safe for 24 hours (PATCH)'),
  'RM3-Note': header("The editor's comment, UTF-8 or RFC 8187"),
  'RM3-Draft': header('Whether it is a draft', ['true', 'false']),
  'RM3-Minor': header('Whether `modified` stays', ['true', 'false']),
})
