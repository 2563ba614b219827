import type { Entity } from './state.ts'

/** Stands for whatever a page says now. */
export const ANY_ETAG = '*'

/** What a change is made for (RFC 9110, 13.1.1): an ETag, without quotes, any of several, or `*` for whatever the page says now. */
export type IfMatch = string | readonly string[]

/** The ETag of what is there: what readers see, or of a page that was never live its newest draft. */
export function etagOf({ sinceId, tipId }: Entity): string {
  return sinceId ?? tipId
}

/** The ETags that a change names; `*` becomes that of what is there. */
export function etagsIn(ifMatch: IfMatch, entity: Entity): readonly string[] {
  const etags = typeof ifMatch === 'string' ? [ifMatch] : ifMatch
  return etags.map(etag => (etag === ANY_ETAG ? etagOf(entity) : etag))
}
