import { Rm3Error } from '../errors.ts'
import type { NewEvent, PublishScheduled, ScheduleCancelled } from './events.ts'
import { SCHEDULES_MAX } from './limits.ts'
import { type Entity, own, type Scheduled } from './state.ts'

/** What became of a plan when its time came: shown to readers, ended with a reason, or it was not there any more. */
export type Carried = 'published' | 'ended' | 'absent'

/**
 * A revision shall go live at an instant; [] when that is planned already.
 *
 * @throws PAGE_GONE, REQUEST_INVALID past `SCHEDULES_MAX`
 */
export function schedulePublish(entity: Entity, plan: PublishScheduled): NewEvent[] {
  const { state, path, schedules } = entity
  if (state === 'deleted') throw new Rm3Error('PAGE_GONE', `${path} was deleted`, { path })
  const planned = Object.values(schedules)
  if (planned.some(({ revision, at }) => revision === plan.revision && at === plan.at)) return []
  if (planned.length >= SCHEDULES_MAX) {
    throw new Rm3Error('REQUEST_INVALID', `${path} has ${SCHEDULES_MAX} publications ahead of it`, {
      path,
      most: SCHEDULES_MAX,
    })
  }
  const { revision, revisionId, at } = plan
  return [{ type: 'PublishScheduled', stream: entity.id, data: { revision, revisionId, at } }]
}

/** It shall not. @param reason why it could not; without one it is taken back @throws SCHEDULE_NOT_FOUND */
export function cancelSchedule(
  entity: Entity,
  schedule: string,
  reason?: NonNullable<ScheduleCancelled['reason']>,
): NewEvent[] {
  getScheduled(entity, schedule)
  const data = { schedule, ...(reason !== undefined && { reason }) }
  return [{ type: 'ScheduleCancelled', stream: entity.id, data }]
}

/** What lies ahead under an id. @throws SCHEDULE_NOT_FOUND */
export function getScheduled({ path, schedules }: Entity, schedule: string): Scheduled {
  const found = own(schedules, schedule)
  if (found !== undefined) return found
  throw new Rm3Error('SCHEDULE_NOT_FOUND', `${path} has no publication ${schedule} ahead of it`, {
    path,
    schedule: schedule.slice(0, 40),
  })
}
