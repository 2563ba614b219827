import { findTokenOwner } from '../../projections/accounts.ts'
import type { Json } from '../codec/json.ts'
import { measure } from '../codec/json-compare.ts'
import type { Conflict } from '../codec/merge.ts'
import * as blobs from '../content/decide-blob.ts'
import { decidePage, type PageCommand } from '../content/decide-page.ts'
import { decideUndo, type Span, type Undoing } from '../content/decide-undo.ts'
import { GRANTS_STREAM, SETTINGS_STREAM } from '../content/events.ts'
import { isUnder, SITE_PATH } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import { type Selected, type Selector, selectEvents } from '../log/select.ts'
import type { Change } from './change.ts'
import { demandCreate, demandFree, SUBTREE_MAX } from './pages.ts'
import { readState } from './states.ts'

/** What is undone: at least one of actor, token, importedFrom and undo is given. */
export interface UndoSelector extends Selector {
  /** Only of pages that are, or were before or after, at this path or below. */
  readonly under: string | null
}

/** What undoing does to a page. */
export type Step = 'delete' | 'undelete' | 'move' | 'revise' | 'files'

export interface UndonePage {
  readonly entityId: string
  /** Where it is, or was last. */
  readonly path: string
  /** Where it goes; null when it stays. */
  readonly to: string | null
  /** [] when all of it conflicts. */
  readonly steps: readonly Step[]
  /** See `Undoing`; values of more than 2,000 bytes are left out. */
  readonly conflicts: readonly Conflict[]
}

/** A page that is left as it is. */
export interface LeftPage {
  readonly entityId: string
  readonly path: string
  /**
   * 'unseen': what was done to it readers never saw (drafts, roles, credentials); of what they saw it is told among the pages. 'site':
   * rights or settings of the site. Else the code of what stands in the way: PERMISSION_DENIED, PATH_TAKEN, MOVE_INTO_ITSELF, ERASED, or
   * DOCUMENT_INVALID where the parts do not fit.
   */
  readonly why: string
}

export interface Undone {
  /** Those that changed last come first. */
  readonly pages: readonly UndonePage[]
  readonly left: readonly LeftPage[]
}

/** Most events that are undone at once: as many as a subtree that moved has. */
const EVENTS_MAX = SUBTREE_MAX
const VALUE_MAX_BYTES = 2_000

/**
 * Undoes what was done to pages by a user, a token, an import or an earlier undoing: each page gets what it takes to be as if those
 * events had not been, with all that others changed since. Pages of which the viewer may not see the past are passed over as if
 * they were none.
 *
 * @throws REQUEST_INVALID without a selector or for more than `EVENTS_MAX` events, TOKEN_NOT_FOUND also for another's token
 */
export async function undoSelected(change: Change, selector: UndoSelector): Promise<Undone> {
  await checkSelector(change, selector)
  const events = await selectEvents(change.site.db, selector, EVENTS_MAX + 1)
  if (events.length > EVENTS_MAX) {
    throw new Rm3Error(
      'REQUEST_INVALID',
      `more than ${EVENTS_MAX} events are selected; undo them in parts, between other times or under other paths`,
      { most: EVENTS_MAX },
    )
  }
  const pages: UndonePage[] = []
  const left: LeftPage[] = []
  for (const [stream, revisions] of newestFirst(events)) {
    const entity = await change.entity(stream)
    if (entity === null) {
      if (isOfSite(change, stream, selector.under))
        left.push({ entityId: stream, path: SITE_PATH, why: 'site' })
      continue
    }
    const spans = await readSpans(change, stream, revisions)
    if (!concerns(change, selector.under, entity, spans)) continue
    const undoing = decideUndo(entity, spans)
    const why = undoing.wasSeen ? await whyNot(change, entity, undoing) : 'unseen'
    if (why !== null) left.push({ entityId: stream, path: entity.path, why })
    else {
      const page = await carryOut(change, entity, undoing)
      if (page.steps.length + page.conflicts.length > 0) pages.push(page)
      if (undoing.hasUnseen) left.push({ entityId: stream, path: page.path, why: 'unseen' })
    }
  }
  return { pages, left }
}

/** Whether it is of the rights or the settings of the site, and the viewer may hear of it. */
function isOfSite({ viewer }: Change, stream: string, under: string | null): boolean {
  const isSite = stream === GRANTS_STREAM || stream === SETTINGS_STREAM
  const isAsked = under === null || isUnder(SITE_PATH, under)
  return isSite && isAsked && viewer.may('grant', SITE_PATH)
}

async function checkSelector(change: Change, selector: UndoSelector): Promise<void> {
  const { actor, token, importedFrom, undo } = selector
  if (actor === null && token === null && importedFrom === null && undo === null) {
    throw new Rm3Error('REQUEST_INVALID', 'say whose work is undone: of a user, a token, an import')
  }
  if (token === null) return
  const { viewer, site } = change
  const owner = await findTokenOwner(site.db, token)
  if (owner !== null && owner === viewer.userId) return
  const user = owner === null ? null : await change.entity(owner)
  if (user !== null && viewer.may('user.edit', user.path)) return
  throw new Rm3Error('TOKEN_NOT_FOUND', 'there is no such token')
}

/** The revisions of each stream in rising order; the stream that was changed last comes first, for it may stand in another's way. */
function newestFirst(events: readonly Selected[]): [string, number[]][] {
  const streams = new Map<string, number[]>()
  for (const { stream, revision } of events) {
    const revisions = streams.get(stream) ?? []
    streams.delete(stream)
    streams.set(stream, [...revisions, revision])
  }
  return [...streams].reverse()
}

/** What each run of revisions without a gap made of what, newest first. */
async function readSpans(change: Change, stream: string, revisions: number[]): Promise<Span[]> {
  const runs: { from: number; to: number }[] = []
  for (const revision of revisions) {
    const last = runs.at(-1)
    if (last?.to === revision - 1) last.to = revision
    else runs.push({ from: revision, to: revision })
  }
  const stateAt = async (revision: number) =>
    revision === 0 ? null : ((await readState(change.site.db, stream, revision)) as Entity)
  const spans: Span[] = []
  for (const { from, to } of runs.reverse()) {
    spans.push({ before: await stateAt(from - 1), after: (await stateAt(to)) as Entity })
  }
  return spans
}

/** Whether a page is one of those asked for, and the viewer may see all that is told of it. */
function concerns(
  { viewer }: Change,
  under: string | null,
  entity: Entity,
  spans: readonly Span[],
): boolean {
  const states = [entity, ...spans.flatMap(({ before, after }) => [before, after])]
  const paths = states.flatMap(state => (state === null ? [] : [state.path]))
  const open = paths.every(path => viewer.may('view', path) && viewer.may('history', path))
  return open && (under === null || paths.some(path => isUnder(path, under)))
}

/** The code of what stands in the way of undoing; null when nothing does. */
async function whyNot(change: Change, entity: Entity, undoing: Undoing): Promise<string | null> {
  const { viewer } = change
  const needs = undoing.commands.map(({ type }) =>
    type === 'DeletePage' || type === 'UndeletePage' ? 'post.delete' : 'post.edit',
  )
  if (undoing.attach.length + undoing.detach.length > 0) needs.push('post.edit')
  if (needs.some(right => !viewer.may(right, entity.path))) return 'PERMISSION_DENIED'
  if (undoing.isUnfit) return 'DOCUMENT_INVALID'
  const isRead = ({ type }: PageCommand) => type === 'RevisePage' || type === 'UndeletePage'
  if (undoing.isErased && undoing.commands.some(isRead)) return 'ERASED'
  const target = undoing.commands.map(targetOf).find(path => path !== null) ?? null
  if (target === null) return null
  if (entity.state === 'live' && isUnder(target, entity.path)) return 'MOVE_INTO_ITSELF'
  try {
    demandCreate(change, target)
    if (!viewer.may('post.edit', target)) return 'PERMISSION_DENIED'
    await demandFree(change, target)
    return null
  } catch (thrown) {
    if (thrown instanceof Rm3Error)
      return thrown.code === 'PATH_TAKEN' ? thrown.code : 'PERMISSION_DENIED'
    throw thrown
  }
}

function targetOf(command: PageCommand): string | null {
  if (command.type === 'MovePage') return command.to
  return command.type === 'UndeletePage' ? command.path : null
}

async function carryOut(change: Change, entity: Entity, undoing: Undoing): Promise<UndonePage> {
  const { commands, attach, detach, conflicts } = undoing
  const now = async () => (await change.entity(entity.id)) as Entity
  for (const command of commands) change.record(decidePage(await now(), command))
  for (const name of detach) change.record(blobs.detachBlob(await now(), name))
  for (const file of attach) change.record(blobs.attachBlob(await now(), file))
  const { path } = await now()
  return {
    entityId: entity.id,
    path: entity.path,
    to: path === entity.path ? null : path,
    steps: [
      ...commands.map(({ type }) => STEPS[type]),
      ...(attach.length + detach.length > 0 ? (['files'] as const) : []),
    ],
    conflicts: conflicts.map(withoutLong),
  }
}

const STEPS: Readonly<Record<PageCommand['type'], Step>> = {
  CreatePage: 'revise',
  RevisePage: 'revise',
  PublishPage: 'revise',
  MovePage: 'move',
  DeletePage: 'delete',
  UndeletePage: 'undelete',
}

function withoutLong({ path, ...sides }: Conflict): Conflict {
  const short = Object.entries(sides).filter(
    ([, value]) => measure(value as Json, VALUE_MAX_BYTES) <= VALUE_MAX_BYTES,
  )
  return { path, ...Object.fromEntries(short) }
}
