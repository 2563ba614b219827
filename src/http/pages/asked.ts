import type { FastifyRequest } from 'fastify'
import { Rm3Error } from '../../errors.ts'

export type Query = Readonly<Record<string, unknown>>

const REVISION = /^[1-9]\d{0,8}$/

/** The query of a request. What is not known there is left alone: links from elsewhere bring marks of their own. */
export function queryOf(request: FastifyRequest): Query {
  return (request.query ?? {}) as Query
}

/** A member of the query; null without. @throws REQUEST_INVALID when it is given more than once */
export function textOf(query: Query, name: string): string | null {
  const value = query[name]
  if (value === undefined) return null
  if (typeof value === 'string') return value
  throw new Rm3Error('REQUEST_INVALID', `${name} is given more than once`, { parameter: name })
}

/** A revision in the query; null without. @throws REQUEST_INVALID when it is not a number of one */
export function revisionOf(query: Query, name: string): number | null {
  const text = textOf(query, name)
  if (text === null) return null
  if (REVISION.test(text)) return Number(text)
  throw new Rm3Error('REQUEST_INVALID', `${name} is the number of a revision`, { parameter: name })
}

const CONTROLS = /\p{Cc}+/gu

/** The words of `q`; '' without. @throws REQUEST_INVALID when there are more than `charsMax` characters */
export function wordsOf(query: Query, charsMax: number): string {
  const words = (textOf(query, 'q') ?? '').replace(CONTROLS, ' ').trim()
  if (words.length <= charsMax) return words
  const message = `what is searched for has at most ${charsMax} characters`
  throw new Rm3Error('REQUEST_INVALID', message, { parameter: 'q' })
}
