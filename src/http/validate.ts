import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Rm3Error } from '../errors.ts'

const WHOLE_NUMBER = /^-?(0|[1-9]\d{0,14})$/
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false }

type Checker = (data: unknown) => { value: unknown } | { error: Error }

/**
 * The check of one part of requests against its schema, for fastify.
 *
 * Bodies are taken as they are, and none at all as an object without members; texts of a query or a path become numbers and booleans where the schema says so. Headers are
 * described by schemas and read by who needs them. A failed check is REQUEST_INVALID naming the parameter.
 *
 * @param part 'body', 'querystring', 'params' or 'headers'
 */
export function compileCheck(schema: TSchema, part: string | undefined): Checker {
  if (part === 'headers') return value => ({ value })
  const validator = Compile(schema)
  const convert = part === 'body' ? bodyOf : converter(schema)
  return data => {
    const value = convert(data)
    if (validator.Check(value)) return { value }
    return { error: invalid(part, validator.Errors(value)) }
  }
}

/** fastify has null where no body came. */
function bodyOf(data: unknown): unknown {
  return data ?? {}
}

function converter(schema: TSchema): (data: unknown) => unknown {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> }
  const typed = Object.entries(properties).filter(([, { type }]) => type !== 'string')
  return data => {
    const converted: Record<string, unknown> = { ...(data as Record<string, unknown>) }
    for (const [name, { type }] of typed) {
      const text = converted[name]
      if (typeof text !== 'string') continue
      if (type === 'integer' && WHOLE_NUMBER.test(text)) converted[name] = Number(text)
      if (type === 'boolean' && Object.hasOwn(BOOLEANS, text)) converted[name] = BOOLEANS[text]
    }
    return converted
  }
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

const PARTS: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' }

function invalid(part: string | undefined, errors: readonly SchemaError[]): Rm3Error {
  const where = PARTS[part ?? ''] ?? 'body'
  const extra = errors.flatMap(({ params }) =>
    'additionalProperties' in params ? (params.additionalProperties as string[]) : [],
  )
  const [first] = errors
  if (extra[0] !== undefined) {
    const name = extra[0].slice(0, 60)
    return new Rm3Error('REQUEST_INVALID', `${where}: "${name}" is not known here`, {
      parameter: name,
    })
  }
  const pointer = first?.instancePath ?? ''
  const message = `${where}${pointer && ` at ${pointer.slice(0, 60)}`}: ${first?.message ?? 'is invalid'}`
  return new Rm3Error('REQUEST_INVALID', message, { pointer: pointer.slice(0, 200) })
}
