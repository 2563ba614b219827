import type { Json } from '../codec/json.ts'
import { type Conflict, merge } from '../codec/merge.ts'
import { isDocument } from './check-document.ts'
import type { PageCommand, RevisePage } from './decide-page.ts'
import { changed, filesOf, type Span, same, type Undoing } from './decide-undo.ts'
import { type Document, documentOf } from './document.ts'
import type { Blob, Entity } from './state.ts'

/** What editors see of an entity's newest draft. */
interface Drafted {
  readonly exists: boolean
  /** Path and files of a page that was never live; of another readers see them. */
  readonly path?: string
  readonly files?: Readonly<Record<string, Omit<Blob, 'since'>>>
  readonly document?: Document
}

/**
 * How to undo what events drafted and nobody put live since: the newest draft becomes what it was, or says what is live where there was none.
 * A page that is all draft is deleted when the events made it. What others drafted since stays, by three-way merge.
 *
 * @param entity as it is now, when what readers saw of the events is undone
 * @param spans newest first
 * @returns null when there is nothing of the kind; conflicts have paths that begin with `/draft`
 */
export function decideUndoDraft(entity: Entity, spans: readonly Span[]): Undoing | null {
  const drafted = spans.filter(span => isDrafted(entity, span))
  if (drafted.length === 0) return null
  const now = draftedOf(entity)
  const conflicts: Conflict[] = []
  let target = now
  for (const span of drafted) {
    const merged = merge(jsonOf(draftedOf(span.after)), jsonOf(target), jsonOf(draftedBefore(span)))
    conflicts.push(...merged.conflicts)
    target = merged.value as unknown as Drafted
  }
  const told = conflicts.map(conflict => ({ ...conflict, path: `/draft${conflict.path}` }))
  const kept = { conflicts: told, isErased: drafted.some(isErased) }
  if (conflicts.length > 0 && target.exists !== now.exists) {
    return { commands: [], attach: [], detach: [], isUnfit: false, ...kept }
  }
  const commands = stepsTo(entity, now, target, drafted.at(-1) as Span)
  const isUnfit = commands.some(command => !fits(entity, command))
  const files = target.files ?? filesOf(entity)
  return { commands, ...changed(filesOf(entity), files), isUnfit, ...kept }
}

/** Whether the events drafted something that may be the newest draft still. */
function isDrafted(entity: Entity, { before, after }: Span): boolean {
  if (entity.live === null) {
    return (
      after.live === null && !same(before === null ? null : draftedOf(before), draftedOf(after))
    )
  }
  const isOpen = entity.state === 'live' && entity.live.revision !== entity.tipRevision
  if (!isOpen || after.state !== 'live' || after.live === null) return false
  return after.live.revision !== after.tipRevision && after.tipId !== before?.tipId
}

function draftedOf(entity: Entity): Drafted {
  const { live, state, path, tip } = entity
  if (state === 'deleted') return { exists: false }
  const drafted = { exists: true, document: documentOf(tip) }
  return live === null ? { ...drafted, path, files: filesOf(entity) } : drafted
}

/** Before them a page may not have been there; what its first draft was made of is what was live then. */
function draftedBefore({ before, after }: Span): Drafted {
  if (after.live === null) return before === null ? { exists: false } : draftedOf(before)
  if (before !== null && before.state === 'live') return draftedOf(before)
  return { exists: true, document: documentOf(after.live.document) }
}

function isErased({ before, after }: Span): boolean {
  return [before, after].some(state => state?.tipErased !== undefined)
}

function jsonOf(drafted: Drafted): Json {
  return drafted as unknown as Json
}

function stepsTo(entity: Entity, now: Drafted, target: Drafted, first: Span): PageCommand[] {
  if (!target.exists) return now.exists ? [{ type: 'DeletePage' }] : []
  const { path, document } = target
  const commands: PageCommand[] = []
  if (path !== undefined && !now.exists) commands.push({ type: 'UndeletePage', path })
  else if (path !== undefined && path !== now.path) commands.push({ type: 'MovePage', to: path })
  if (document === undefined || same(document, documentOf(entity.tip))) return commands
  const restored = revisionSaying(document, first, entity)
  const revise = { type: 'RevisePage', document, base: entity.tipRevision, draft: true } as const
  return [...commands, restored === null ? revise : { ...revise, restored }]
}

/** The revision that says it already: of the draft from before all that is undone, or what is live. */
function revisionSaying(document: Document, { before }: Span, { live }: Entity): number | null {
  if (live !== null && same(documentOf(live.document), document)) return live.revision
  return before !== null && same(documentOf(before.tip), document) ? before.tipRevision : null
}

function fits({ tip }: Entity, command: PageCommand): boolean {
  const { document, restored } = command as Partial<RevisePage>
  if (document === undefined || restored !== undefined || isDocument(document)) return true
  return !isDocument(documentOf(tip))
}
