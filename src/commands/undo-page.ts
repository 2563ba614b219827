import type { Json } from '../codec/json.ts'
import { measure } from '../codec/json-compare.ts'
import type { Conflict } from '../codec/merge.ts'
import * as blobs from '../content/decide-blob.ts'
import { decidePage, type PageCommand } from '../content/decide-page.ts'
import { decideUndo, type Span, type Undoing } from '../content/decide-undo.ts'
import { decideUndoDraft } from '../content/decide-undo-draft.ts'
import { isUnder } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import type { Change } from './change.ts'
import { demandCreate, demandFree } from './pages.ts'

/** What undoing does to a page; `draft`: its newest draft becomes what it was. */
export type Step = 'delete' | 'undelete' | 'move' | 'revise' | 'files' | 'draft'

/** What was done to a page. */
export interface PageSteps {
  readonly steps: readonly Step[]
  readonly conflicts: readonly Conflict[]
  /** The code of what stands in the way; null when nothing does. */
  readonly why: string | null
}

const VALUE_MAX_BYTES = 2_000

/** Undoes what events did to a page: what readers saw, and what was drafted where the viewer may see drafts. */
export async function undoPage(
  change: Change,
  entity: Entity,
  spans: readonly Span[],
): Promise<PageSteps> {
  const seen = await carryOut(change, entity, decideUndo(entity, spans))
  if (seen.why !== null || !maySeeDrafts(change, entity, spans)) return seen
  const now = (await change.entity(entity.id)) as Entity
  const drafting = decideUndoDraft(now, spans)
  if (drafting === null) return seen
  const { steps, conflicts, why } = await carryOut(change, now, drafting)
  return { steps: [...seen.steps, ...steps], conflicts: [...seen.conflicts, ...conflicts], why }
}

function maySeeDrafts({ viewer }: Change, entity: Entity, spans: readonly Span[]): boolean {
  const states = [entity, ...spans.flatMap(({ before, after }) => [before, after])]
  return states.every(state => state === null || viewer.may('viewdraft', state.path))
}

async function carryOut(change: Change, entity: Entity, undoing: Undoing): Promise<PageSteps> {
  const { commands, attach, detach, conflicts } = undoing
  const why = await whyNot(change, entity, undoing)
  if (why !== null) return { steps: [], conflicts: [], why }
  const now = async () => (await change.entity(entity.id)) as Entity
  for (const command of commands) change.record(decidePage(await now(), command))
  for (const name of detach) change.record(blobs.detachBlob(await now(), name))
  for (const file of attach) change.record(blobs.attachBlob(await now(), file))
  const files = attach.length + detach.length > 0
  return {
    steps: [...commands.map(stepOf), ...(files ? (['files'] as const) : [])],
    conflicts: conflicts.map(withoutLong),
    why: null,
  }
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

const STEPS: Readonly<Record<PageCommand['type'], Step>> = {
  CreatePage: 'revise',
  RevisePage: 'revise',
  PublishPage: 'revise',
  MovePage: 'move',
  DeletePage: 'delete',
  UndeletePage: 'undelete',
}

function stepOf(command: PageCommand): Step {
  return command.type === 'RevisePage' && command.draft ? 'draft' : STEPS[command.type]
}

function withoutLong({ path, ...sides }: Conflict): Conflict {
  const short = Object.entries(sides).filter(
    ([, value]) => measure(value as Json, VALUE_MAX_BYTES) <= VALUE_MAX_BYTES,
  )
  return { path, ...Object.fromEntries(short) }
}
