import { endOfObject, endOfString } from '../../codec/json-tokens.ts'
import { chainLink } from '../../log/chain.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { bodyHash } from '../../log/event.ts'

/** An event as one line of a history. `meta` and `data` are the very bytes that the log has, for their hash is over those. */
export function itemLine(event: ProvableEvent): string {
  if (event.meta?.includes('\n') || event.data?.includes('\n')) {
    throw new Error(`the payload at position ${event.position} has a line break`)
  }
  const { position, revision, eventId, type, version, at, recordedAt, actor, note } = event
  const secret = event.salt === null ? `"bodyHash":"${event.bodyHash}"` : `"salt":"${event.salt}"`
  return (
    `{"position":${position},"revision":${revision},"revisionId":"${eventId}","type":"${type}","version":${version},` +
    `"at":"${at}","recordedAt":"${recordedAt}","actor":"${actor}","note":${JSON.stringify(note)},` +
    `"meta":${event.meta ?? 'null'},"data":${event.data ?? 'null'},${secret},"previous":"${event.previous}","chain":"${event.chain}"}`
  )
}

const HEAD =
  /^\{"position":([1-9]\d{0,14}),"revision":([1-9]\d{0,9}),"revisionId":"([0-9a-f-]{36})","type":"([A-Z][A-Za-z]{0,63})","version":([1-9]\d{0,4}),"at":"([^"]{24})","recordedAt":"([^"]{24})","actor":"([a-z0-9-]{1,64})","note":/
const TAIL =
  /^,"(salt|bodyHash)":"([0-9a-f]{32}|[0-9a-f]{64})","previous":"([0-9a-f]{64})","chain":"([0-9a-f]{64})"\}$/
const SALT_DIGITS = 32
const META = ',"meta":'
const DATA = ',"data":'
/** Lengths of the tail with a salt and with the hash that an erased event has instead. */
const TAIL_SALTED = ',"salt":"","previous":"","chain":""}'.length + SALT_DIGITS + 128
const TAIL_ERASED = ',"bodyHash":"","previous":"","chain":""}'.length + 64 + 128

/**
 * The event in a line as `itemLine` writes it.
 *
 * @param stream the entity whose history it is in
 * @returns null when the line is not written exactly so
 */
export function parseItem(line: string, stream: string): ProvableEvent | null {
  const head = HEAD.exec(line)
  const tail = tailOf(line)
  if (head === null || tail === null) return null
  const body = bodyOf(line, head[0].length, tail.start)
  if (body === null) return null
  const isErased = tail.salt === null
  if (isErased && (body.note !== null || body.meta !== null || body.data !== null)) return null
  if (!isErased && (body.meta === null || body.data === null)) return null
  return {
    position: Number(head[1]),
    eventId: head[3] as string,
    stream,
    revision: Number(head[2]),
    version: Number(head[5]),
    type: head[4] as string,
    actor: head[8] as string,
    at: head[6] as string,
    recordedAt: head[7] as string,
    ...body,
    salt: tail.salt,
    bodyHash: tail.bodyHash ?? bodyHashOf(tail.salt as string, body),
    previous: tail.previous,
    chain: tail.chain,
  }
}

interface Tail {
  readonly start: number
  readonly salt: string | null
  readonly bodyHash: string | null
  readonly previous: string
  readonly chain: string
}

function tailOf(line: string): Tail | null {
  for (const length of [TAIL_SALTED, TAIL_ERASED]) {
    const start = line.length - length
    const [, kind, digits = '', previous = '', chain = ''] = TAIL.exec(line.slice(start)) ?? []
    if (kind === undefined) continue
    const isSalt = kind === 'salt'
    return {
      ...{ start, previous, chain },
      salt: isSalt ? digits : null,
      bodyHash: isSalt ? null : digits,
    }
  }
  return null
}

type Body = Pick<ProvableEvent, 'note' | 'meta' | 'data'>

function bodyOf(line: string, noteAt: number, end: number): Body | null {
  const noteEnd = line.startsWith('null', noteAt) ? noteAt + 4 : endOfString(line, noteAt + 1) + 1
  if (noteEnd <= noteAt || !line.startsWith(META, noteEnd)) return null
  const metaAt = noteEnd + META.length
  const metaEnd = line.startsWith('null', metaAt) ? metaAt + 4 : endOfObject(line, metaAt)
  if (metaEnd < 0 || !line.startsWith(DATA, metaEnd)) return null
  const note = textOf(line.slice(noteAt, noteEnd))
  if (note === undefined) return null
  return {
    note,
    meta: rawOf(line.slice(metaAt, metaEnd)),
    data: rawOf(line.slice(metaEnd + DATA.length, end)),
  }
}

/** undefined when it is neither null nor a string as `JSON.stringify` writes it. */
function textOf(literal: string): string | null | undefined {
  try {
    const value = JSON.parse(literal) as string | null
    return JSON.stringify(value) === literal ? value : undefined
  } catch {
    return undefined
  }
}

function rawOf(literal: string): string | null {
  return literal === 'null' ? null : literal
}

/** The hash of the erasable part of an event that is not erased, in digits. */
export function bodyHashOf(salt: string, { note, meta, data }: Body): string {
  return bodyHash(Buffer.from(salt, 'hex'), note, meta, data).toString('hex')
}

/** The chain value that follows from the event and the value before it, in digits. */
export function linkOf(event: ProvableEvent): string {
  const previous = Buffer.from(event.previous, 'hex')
  return chainLink(previous, event, Buffer.from(event.bodyHash, 'hex')).toString('hex')
}
