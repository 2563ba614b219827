import { type Deed, type DeedFilter, listDeeds } from '../../projections/activity.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { FOREVER } from '../projector/define.ts'
import { hearingOf } from './activity.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { type Actor, actorOf, readActors } from './revisions.ts'

export const SAVES_MAX = 100
export const SAVES_DEFAULT = 20
/** Changes in one answer; a save with more comes in several parts. */
const CHANGES_MAX = 500
/** Events that one look goes through. */
const LOOKED_MAX = 5_000

/** What changed, as one event tells it. */
export type SiteChange = Omit<Deed, 'part' | 'actor' | 'door' | 'note' | 'at'>

/** What was saved at once, newest change first. */
export interface Save {
  /** The position of its first event, which names it. */
  readonly save: number
  /** Of the newest of `changes`. */
  readonly position: number
  readonly at: string
  readonly actor: string
  readonly actorName: string | null
  readonly actorPath: string | null
  readonly door: string | null
  readonly note: string | null
  readonly changes: readonly SiteChange[]
}

/** Which changes: after the position `from` and up to `to`; null leaves a bound out. */
export interface ChangesAsked {
  readonly from: number | null
  readonly to: number | null
  readonly under: string | null
  /** A login name, an entity id, or root, nobody, system. */
  readonly author: string | null
  readonly type: string | null
}

/**
 * What changed on the site, save by save, newest first, as far as a viewer may hear of it (by the rules of `readFeed`). A part may
 * have fewer saves than `limit` although more follow.
 *
 * @throws CURSOR_INVALID when `after` is not of this list
 */
export async function readChanges(
  site: Site,
  viewer: Viewer,
  asked: ChangesAsked,
  part: { limit: number; after: string | null },
): Promise<{ items: Save[]; next: string | null }> {
  const before = part.after === null ? FOREVER : readCursor(asked, part.after, ['number'])[0]
  const { deeds, bound } = await listDeeds(site.db, await filterOf(site, viewer, asked), {
    since: asked.from ?? 0,
    before: Math.min(Number(before), (asked.to ?? FOREVER - 1) + 1),
    looked: LOOKED_MAX,
    limit: CHANGES_MAX,
  })
  const { saves, next } = complete(savesOf(deeds), {
    limit: part.limit,
    end: deeds.length === CHANGES_MAX ? (deeds.at(-1)?.position ?? null) : bound,
  })
  const actors = await readActors(site.db, viewer, new Set(saves.map(([{ actor }]) => actor)))
  const items = saves.map(save => saveOf(save, actors.get(save[0].actor)))
  return { items, next: next === null ? null : makeCursor(asked, [next]) }
}

/** The deeds that are asked for, of which the viewer may hear. */
export async function filterOf(
  site: Site,
  viewer: Viewer,
  { under, author, type }: Pick<ChangesAsked, 'under' | 'author' | 'type'>,
): Promise<DeedFilter> {
  const actor = author === null ? null : await actorOf(site.db, author)
  return { actor, path: null, under, type, ...hearingOf(viewer) }
}

type SaveDeeds = readonly [Deed, ...Deed[]]

function firstOf({ position, part }: Deed): number {
  return position - part + 1
}

/** Deeds, newest first, by what they were saved with. */
function savesOf(deeds: readonly Deed[]): SaveDeeds[] {
  const saves: [Deed, ...Deed[]][] = []
  for (const deed of deeds) {
    const save = saves.at(-1)
    if (save !== undefined && firstOf(save[0]) === firstOf(deed)) save.push(deed)
    else saves.push([deed])
  }
  return saves
}

/**
 * As many of the saves as are wanted and were seen to their beginning, and the position before which the next part looks.
 *
 * @param end the last position looked at; null at the beginning of what is asked for
 */
function complete(
  saves: readonly SaveDeeds[],
  { limit, end }: { limit: number; end: number | null },
): { saves: readonly SaveDeeds[]; next: number | null } {
  if (saves.length > limit) {
    const shown = saves.slice(0, limit)
    return { saves: shown, next: shown.at(-1)?.at(-1)?.position ?? null }
  }
  const last = saves.at(-1)
  if (end !== null && last !== undefined && saves.length > 1 && firstOf(last[0]) < end) {
    return { saves: saves.slice(0, -1), next: last[0].position + 1 }
  }
  return { saves, next: end }
}

function saveOf(deeds: SaveDeeds, actor: Actor | undefined): Save {
  const [newest] = deeds
  return {
    save: firstOf(newest),
    position: newest.position,
    at: newest.at,
    actor: newest.actor,
    actorName: actor?.name ?? null,
    actorPath: actor?.path ?? null,
    door: newest.door,
    note: newest.note,
    changes: deeds.map(({ position, type, entityId, revision, path, was, now, title }) => {
      return { position, type, entityId, revision, path, was, now, title }
    }),
  }
}
