import { SYSTEM_VIEWER } from '../access/viewer.ts'
import { type Author, type Change, change, type Site } from '../commands/change.ts'
import { derivedId } from '../commands/derived-id.ts'
import { createPage, revisePage } from '../commands/pages.ts'
import { carryOut } from '../commands/schedules.ts'
import { ANY_ETAG } from '../content/if-match.ts'
import { findEvent } from '../log/read.ts'
import type { Deed, WorkerCommands } from './define.ts'

/** The commands of a site as a worker gets them. */
export function workerCommands(
  site: Site,
  name: string,
  { scrub, program }: Pick<WorkerCommands, 'scrub' | 'program'>,
): WorkerCommands {
  const once = (deed: Deed, work: (change: Change) => Promise<unknown>) =>
    doOnce(site, name, deed, work)
  return {
    createPage: (page, deed) => once(deed, it => createPage(it, page)),
    revisePage: (path, edit, deed) =>
      once(deed, it => revisePage(it, path, { ifMatch: ANY_ETAG, edit })),
    publishScheduled: (entityId, schedule) => carryOut(site, entityId, schedule),
    scrub,
    program,
  }
}

/** @returns false when the log says that it was done before */
async function doOnce(
  site: Site,
  name: string,
  { key, note }: Deed,
  work: (change: Change) => Promise<unknown>,
): Promise<boolean> {
  const eventId = (index: number) => derivedId(name, key, String(index))
  if ((await findEvent(site.db, eventId(0))) !== null) return false
  const author: Author = {
    ...{ viewer: SYSTEM_VIEWER, door: 'worker' as const, eventId, meta: { worker: name } },
    ...(note !== undefined && { note }),
  }
  const written = await change(site, author, work)
  return written.events.length > 0 && !written.repeated
}
