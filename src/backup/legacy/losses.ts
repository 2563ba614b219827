import type { PlannedAppend, PlannedEvent } from './plan.ts'

const ALWAYS = [
  'Deleted pages and the traces of moved ones, with their histories and the addresses they sent readers to.',
  'Drafts of pages that were never published, and comments still waiting for approval.',
  'When and by whom each permission was given or taken away: only those in force at the time of the backup.',
  'When and by whom passwords and other credentials were set.',
  'Who published a draft or approved a comment.',
  'What a draft said before its author saved it again.',
  'OAuth clients, votes and reports, settings of the site, and the times users were last seen.',
  'Derived pictures (thumbnails and other sizes); they can be made again.',
  'Settings of the server, schemes and plugins.',
  'Check sums: nothing in it proves that the backup is as it was written.',
]

/**
 * What a backup in the old format could not contain, one sentence each, as far as this one shows it.
 *
 * @param version of rm3 0.x that wrote the backup
 */
export function lossesOf(version: string, appends: readonly PlannedAppend[]): string[] {
  const events = appends.flatMap(append => append.events)
  const losses = [...ALWAYS]
  if (/^0\.[0-2]\./.test(version))
    losses.push(
      'Whether a page was hidden: rm3 before 0.3 had no such mark, so none is.',
      'The state of reviews: rm3 before 0.3 had none.',
    )
  const snapshots = countWhy(events, 'snapshot')
  if (snapshots > 0) losses.push(`What ${pages(snapshots)} said before moving to the present path.`)
  const ends = countWhy(events, 'gone, it is not known how')
  if (ends > 0) losses.push(`How and when ${pages(ends)} ended.`)
  return losses
}

function countWhy(events: readonly PlannedEvent[], why: string): number {
  return events.filter(event => event.meta.import['synthesised'] === why).length
}

function pages(count: number): string {
  return count === 1 ? 'one page' : `${count} pages`
}
