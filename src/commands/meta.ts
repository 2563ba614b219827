import type { NewEvent } from '../content/events.ts'

/** Plans are for the eyes of those who may see drafts. */
const UNSEEN = new Set<NewEvent['type']>(['PublishScheduled', 'ScheduleCancelled'])

/**
 * An event's `meta`, as JSON. `draft` stands in the payload too; lists of revisions would have to read whole documents to find it there.
 *
 * @param part the event's place in what is appended at once, from 1; kept from the second on, so that a save is seen whole
 */
export function metaOf(
  author: { readonly door: string; readonly meta?: Readonly<Record<string, unknown>> },
  { type, data }: NewEvent,
  part: number,
): string {
  const draft = UNSEEN.has(type) || ('draft' in data && data.draft === true)
  // what an import puts together belonged to many saves once
  const save = part > 1 && author.door !== 'import' && { part }
  return JSON.stringify({ door: author.door, ...(draft && { draft }), ...save, ...author.meta })
}
