import type { Json, JsonObject } from '../codec/json.ts'
import { fromSegments } from '../codec/segments.ts'

export type { Json, JsonObject }

/** A document in the form patches work on (see `codec/segments.ts`): each long text is an object with an array of its parts. */
export type Stored = Json

/**
 * What a page says at one revision: everything of it that is edited, and nothing that follows from the log.
 *
 * `summary` is the small part that listings show (`title`, `abstract`, …), `data` the large one (`posting`, …).
 * `tags` is `{ "<predicate>": [ {"@id": "<object>", "objClass": "tag|ontag|link|geo"} … ] }`.
 */
export interface Document {
  readonly proto: string
  readonly hidden: boolean
  readonly summary: JsonObject
  readonly data: JsonObject
  readonly tags: JsonObject
}

const documents = new WeakMap<object, Document>()

/** The document that a stored form stands for. Neither is ever changed, so it is made once. */
export function documentOf(stored: Stored): Document {
  const key = stored as object
  let document = documents.get(key)
  if (document === undefined) {
    document = documentFrom(stored)
    documents.set(key, document)
  }
  return document
}

type Made = { readonly stored: Stored; readonly document: Document } | null
/** What was made last: who folds looks several times at the documents before and after an event, and never at older ones again. */
let [last, lastButOne]: [Made, Made] = [null, null]

/** As `documentOf`, for those who look at one document after the other: to remember each of them costs more than to make it. */
export function documentFrom(stored: Stored): Document {
  if (last?.stored === stored) return last.document
  if (lastButOne?.stored === stored) return lastButOne.document
  lastButOne = last
  last = { stored, document: fromSegments(stored) as unknown as Document }
  return last.document
}

/** What listings and histories show of a document. */
export interface Heading {
  readonly proto: string
  readonly hidden: boolean
  /** '' when the document has none. */
  readonly title: string
}

/** The heading of a stored document, without making all of it. */
export function headingOf(stored: Stored): Heading {
  const { proto, hidden, summary } = stored as JsonObject
  const title = fromSegments((summary as JsonObject)['title'] ?? null)
  return {
    proto: fromSegments(proto as Json) as string,
    hidden: hidden as boolean,
    title: typeof title === 'string' ? title : '',
  }
}

/**
 * A part of a document that becomes JSON when it is written and not before: of the many states that a rebuild goes through only the
 * last one is.
 */
export function partOf(stored: Stored, part: 'summary' | 'data' | 'tags'): object {
  return new Part(stored, part)
}

class Part {
  readonly #stored: Stored
  readonly #part: 'summary' | 'data' | 'tags'

  constructor(stored: Stored, part: 'summary' | 'data' | 'tags') {
    this.#stored = stored
    this.#part = part
  }

  toJSON(): JsonObject {
    return fromSegments((this.#stored as JsonObject)[this.#part] ?? null) as JsonObject
  }
}
