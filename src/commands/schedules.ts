import { demand, SYSTEM_VIEWER } from '../access/viewer.ts'
import { decidePage } from '../content/decide-page.ts'
import type { Carried } from '../content/decide-schedule.ts'
import * as decide from '../content/decide-schedule.ts'
import type { NewEvent } from '../content/events.ts'
import { type Entity, own, type Scheduled } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import { type Author, type Change, change, type Site } from './change.ts'
import { derivedId } from './derived-id.ts'
import { pageAt } from './pages.ts'
import { getVersion } from './versions.ts'

/**
 * A revision of a page, which the viewer may see, shall go live at an instant: whatever the page says by then, and wherever it is by
 * then. Takes the same right as to publish it now; that is asked today and not again when its time comes.
 *
 * @param plan `at`: RFC 3339 in UTC with milliseconds
 * @throws REQUEST_INVALID when the instant is not ahead, REVISION_NOT_FOUND, PAGE_NOT_FOUND, PAGE_GONE, PERMISSION_DENIED
 */
export async function schedulePublish(
  change: Change,
  path: string,
  plan: { readonly revision: number; readonly at: string },
): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.edit', entity.path)
  if (plan.at <= change.site.now()) {
    throw new Rm3Error('REQUEST_INVALID', `${plan.at} is not ahead; publish the revision now`, {
      at: plan.at,
    })
  }
  const { revision, revisionId } = await getVersion(change, entity, plan.revision)
  change.record(decide.schedulePublish(entity, { revision, revisionId, at: plan.at }))
  return (await change.entity(entity.id)) ?? entity
}

/** Takes back what was scheduled. @throws SCHEDULE_NOT_FOUND, PAGE_NOT_FOUND, PERMISSION_DENIED */
export async function cancelSchedule(
  change: Change,
  path: string,
  schedule: string,
): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.edit', entity.path)
  change.record(decide.cancelSchedule(entity, schedule))
  return (await change.entity(entity.id)) ?? entity
}

/**
 * Carries out a scheduled publication in the name of who scheduled it. When the revision is live already, or another page is where one
 * that was never live should go, it is ended with that reason. The id of its event follows from the schedule's, so that two processes
 * cannot do it twice.
 */
export async function carryOut(site: Site, entityId: string, schedule: string): Promise<Carried> {
  const author: Author = { viewer: SYSTEM_VIEWER, door: 'worker' }
  const { result } = await change(site, author, async it => {
    const entity = await it.entity(entityId)
    const plan = entity && own(entity.schedules, schedule)
    if (!entity || !plan) return 'absent'
    const events = await outcome(it, entity, { ...plan, schedule })
    const eventId = () => derivedId('carried out', schedule)
    it.record(events, { ...author, actor: plan.actor, eventId })
    return events[0]?.type === 'PagePublished' ? 'published' : 'ended'
  })
  return result
}

async function outcome(
  change: Change,
  entity: Entity,
  { revision, schedule }: Scheduled & { readonly schedule: string },
): Promise<NewEvent[]> {
  if (entity.state === 'live' && entity.live?.revision === revision) {
    return decide.cancelSchedule(entity, schedule, 'live already')
  }
  if (entity.live === null && (await change.liveIdAt(entity.path)) !== null) {
    return decide.cancelSchedule(entity, schedule, 'path taken')
  }
  const version = await getVersion(change, entity, revision)
  return decidePage(entity, { type: 'PublishPage', ...version, schedule })
}
