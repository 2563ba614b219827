import type { Json, JsonObject } from '../../codec/json.ts'
import { parseJson } from '../../codec/json.ts'
import type { EventType } from '../../content/events.ts'
import { Rm3Error } from '../../errors.ts'

/** An event as a commit of a site tells of it. What its document says is in the file. */
export interface ToldEvent {
  readonly eventId: string
  readonly type: ToldType
  readonly stream: string
  readonly data: JsonObject
}

/** What a commit of a site says of itself, beside what git keeps. */
export interface Told {
  /** Of the first of its events in the log. */
  readonly position: number
  readonly at: string
  readonly recordedAt: string
  readonly actor: string
  readonly note: string | null
  readonly events: readonly ToldEvent[]
}

const TYPES = [
  ...(['PageCreated', 'PageRevised', 'PageMoved', 'PageDeleted', 'PageUndeleted'] as const),
  ...(['BlobAttached', 'BlobDetached'] as const),
] satisfies EventType[]
export type ToldType = (typeof TYPES)[number]

const BEGIN = '\n\nRM3-Position: '
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const INSTANT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const ACTOR = /^[a-z0-9-]{1,64}$/

/** A commit's message: the note, or `title` where there is none, and trailers that say the rest exactly. */
export function messageOf(told: Told, title: string): string {
  const { note } = told
  const shown = note?.trim() || title
  const lines = [
    `RM3-Position: ${told.position}`,
    `RM3-At: ${told.at}`,
    `RM3-Recorded: ${told.recordedAt}`,
    `RM3-Actor: ${told.actor}`,
    ...(shown === note ? [] : [`RM3-Note: ${JSON.stringify(note)}`]),
    ...told.events.map(
      ({ eventId, type, stream, data }) =>
        `RM3-Event: ${eventId} ${type} ${stream} ${JSON.stringify(data)}`,
    ),
  ]
  return `${shown}\n\n${lines.join('\n')}\n`
}

/** What `messageOf` wrote; null for a commit that somebody else made. @throws SOURCE_DAMAGED naming the commit */
export function readMessage(message: string, commit: string): Told | null {
  const begin = message.lastIndexOf(BEGIN)
  if (begin < 0) return null
  const trailers = new Map<string, string[]>()
  for (const line of message.slice(begin).trim().split('\n')) {
    const [, name = '', value = ''] = /^RM3-(\w+): (.*)$/.exec(line) ?? []
    trailers.set(name, [...(trailers.get(name) ?? []), value])
  }
  const one = (name: string, pattern: RegExp): string => {
    const [value = '', ...more] = trailers.get(name) ?? []
    if (pattern.test(value) && more.length === 0) return value
    throw damaged(commit, `RM3-${name} is missing or malformed`)
  }
  const noted = trailers.get('Note')?.[0]
  const events = (trailers.get('Event') ?? []).map(line => readEvent(line, commit))
  if (events.length === 0 || trailers.has('')) throw damaged(commit, 'a trailer is malformed')
  return {
    position: Number(one('Position', /^[1-9]\d{0,14}$/)),
    at: one('At', INSTANT),
    recordedAt: one('Recorded', INSTANT),
    actor: one('Actor', ACTOR),
    note: noted === undefined ? message.slice(0, begin) : readNote(noted, commit),
    events,
  }
}

function readEvent(line: string, commit: string): ToldEvent {
  const [, eventId = '', type = '', stream = '', data = ''] =
    /^(\S+) (\S+) (\S+) (\{.*\})$/.exec(line) ?? []
  const known = TYPES.find(it => it === type)
  if (!UUID.test(eventId) || !UUID.test(stream) || known === undefined) {
    throw damaged(commit, 'RM3-Event is malformed')
  }
  return { eventId, type: known, stream, data: readJson(data, commit) as JsonObject }
}

function readNote(text: string, commit: string): string | null {
  const note = readJson(text, commit)
  if (note === null || typeof note === 'string') return note
  throw damaged(commit, 'RM3-Note is no text')
}

function readJson(text: string, commit: string): Json {
  try {
    return parseJson(text, 'a trailer')
  } catch {
    throw damaged(commit, 'a trailer holds no JSON')
  }
}

function damaged(commit: string, what: string): Rm3Error {
  return new Rm3Error('SOURCE_DAMAGED', `the commit ${commit} is no backup of a site: ${what}`, {
    commit,
  })
}
