import { findTokenOwner } from '../../projections/accounts.ts'
import type { Conflict } from '../codec/merge.ts'
import type { Span } from '../content/decide-undo.ts'
import { GRANTS_STREAM, SETTINGS_STREAM } from '../content/events.ts'
import type { Fact } from '../content/facts.ts'
import { isUnder, SITE_PATH } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import { type Selected, type Selector, selectEvents } from '../log/select.ts'
import type { Change } from './change.ts'
import { SUBTREE_MAX } from './pages.ts'
import { readState } from './states.ts'
import { type LeftFact, NO_FACTS, type StateSpan, undoFacts } from './undo-facts.ts'
import { type Step, undoPage } from './undo-page.ts'

/** What is undone: at least one of actor, token, importId, importedFrom and undo is given. */
export interface UndoSelector extends Selector {
  /** Only of pages that are, or were before or after, at this path or below. */
  readonly under: string | null
  /** The credential that the undoing is asked for with, which stays: nobody undoes the ground he stands on. */
  readonly keeps: string | null
}

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
  /** What becomes so of roles, ways to log in, and plans. */
  readonly facts: readonly Fact[]
}

/** Something that is left as it is. */
export interface LeftPage {
  readonly entityId: string
  readonly path: string
  /**
   * The code of what stands in the way: PERMISSION_DENIED, PATH_TAKEN, MOVE_INTO_ITSELF, ERASED, or DOCUMENT_INVALID where the parts do not
   * fit; of a fact also what `LeftFact` says.
   */
  readonly why: string
  /** Where it is not the page but something of it. */
  readonly fact?: Pick<Fact, 'kind' | 'key'>
}

export interface Undone {
  /** Those that changed last come first. */
  readonly pages: readonly UndonePage[]
  /** What becomes so of the rights and settings of the site. */
  readonly site: readonly Fact[]
  readonly left: readonly LeftPage[]
}

/** Most events that are undone at once: as many as a subtree that moved has. */
const EVENTS_MAX = SUBTREE_MAX

/**
 * Undoes what was done by a user, a token, an import or an earlier undoing: each page, user and right gets what it takes to be as if those
 * events had not been, with all that others changed since. Pages of which the viewer may not see the past are passed over as if
 * they were none; so are rights and settings where the viewer may not change them.
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
  const site: Fact[] = []
  const left: LeftPage[] = []
  for (const [stream, revisions] of newestFirst(events)) {
    const entity = await change.entity(stream)
    if (entity !== null) {
      const undone = await undoEntity(change, selector, entity, revisions)
      pages.push(...undone.pages)
      left.push(...undone.left)
    } else if (isOfSite(change, stream, selector.under)) {
      const spans = await readSpans(change, stream, revisions)
      const undone = await undoFacts(change, stream, { revisions, spans, keeps: null })
      site.push(...undone.facts)
      left.push(...leftOf({ entityId: stream, path: SITE_PATH }, undone.left))
    }
  }
  return { pages, site, left }
}

async function undoEntity(
  change: Change,
  { under, keeps }: UndoSelector,
  entity: Entity,
  revisions: readonly number[],
): Promise<Pick<Undone, 'pages' | 'left'>> {
  const { id: entityId, path } = entity
  const spans = (await readSpans(change, entityId, revisions)) as Span[]
  if (!concerns(change, under, entity, spans)) return { pages: [], left: [] }
  const { steps, conflicts, why } = await undoPage(change, entity, spans)
  const { path: to } = (await change.entity(entityId)) as Entity
  // with the page of a user all roles and ways to log in go
  const isGone = steps.includes('delete')
  const facts = isGone ? NO_FACTS : await undoFacts(change, entityId, { revisions, spans, keeps })
  const page = { entityId, path, to: to === path ? null : to, steps, conflicts, facts: facts.facts }
  const isChanged = steps.length + conflicts.length + page.facts.length > 0
  return {
    pages: isChanged ? [page] : [],
    left: [
      ...(why === null ? [] : [{ entityId, path, why }]),
      ...leftOf({ entityId, path: to }, facts.left),
    ],
  }
}

/** Rights that the viewer may not change are not told by name. */
function leftOf(of: { entityId: string; path: string }, facts: readonly LeftFact[]): LeftPage[] {
  const isDenied = ({ why }: LeftFact) => why === 'PERMISSION_DENIED'
  return [
    ...(facts.some(isDenied) ? [{ ...of, why: 'PERMISSION_DENIED' }] : []),
    ...facts.filter(fact => !isDenied(fact)).map(({ why, ...fact }) => ({ ...of, why, fact })),
  ]
}

/** Whether it is of the rights or the settings of the site, and the viewer may change them. */
function isOfSite({ viewer }: Change, stream: string, under: string | null): boolean {
  const isSite = stream === GRANTS_STREAM || stream === SETTINGS_STREAM
  const isAsked = under === null || isUnder(SITE_PATH, under)
  return isSite && isAsked && viewer.may('grant', SITE_PATH)
}

async function checkSelector(change: Change, selector: UndoSelector): Promise<void> {
  const { token, actor, importId, importedFrom, undo } = selector
  if ([token, actor, importId, importedFrom, undo].every(it => it === null)) {
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
async function readSpans(
  change: Change,
  stream: string,
  revisions: readonly number[],
): Promise<StateSpan[]> {
  const runs: { from: number; to: number }[] = []
  for (const revision of revisions) {
    const last = runs.at(-1)
    if (last?.to === revision - 1) last.to = revision
    else runs.push({ from: revision, to: revision })
  }
  const stateAt = async (revision: number) =>
    revision === 0 ? null : readState(change.site.db, stream, revision)
  const spans: StateSpan[] = []
  for (const { from, to } of runs.reverse()) {
    spans.push({ before: await stateAt(from - 1), after: await stateAt(to) })
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
