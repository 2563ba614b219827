import type { NewEvent } from '../content/events.ts'

/** Plans are for the eyes of those who may see drafts. */
const UNSEEN = new Set<NewEvent['type']>(['PublishScheduled', 'ScheduleCancelled'])

/**
 * An event's `meta`, as JSON. `draft` stands in the payload too; lists of revisions would have to read whole documents to find it there.
 */
export function metaOf(
  author: { readonly door: string; readonly meta?: Readonly<Record<string, unknown>> },
  { type, data }: NewEvent,
): string {
  const draft = UNSEEN.has(type) || ('draft' in data && data.draft === true)
  return JSON.stringify({ door: author.door, ...(draft && { draft }), ...author.meta })
}
