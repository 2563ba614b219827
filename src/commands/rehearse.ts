import type { SiteEvent } from '../content/events.ts'
import { type Author, Change, type Site } from './change.ts'

/** What a change would come to: runs `work` on what the database has now, and writes nothing. @throws what `work` throws */
export async function rehearse<Result>(
  site: Site,
  author: Author,
  work: (change: Change) => Promise<Result>,
): Promise<{ readonly result: Result; readonly events: readonly SiteEvent[] }> {
  const attempt = new Change(site, author, false)
  try {
    const result = await work(attempt)
    return { result, events: attempt.events }
  } finally {
    attempt.forgetUnwritten()
  }
}
