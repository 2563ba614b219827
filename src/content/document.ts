import type { Json, JsonObject } from '../codec/json.ts'

export type { Json, JsonObject }

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
