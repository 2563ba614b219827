import type { Json } from '../codec/json.ts'
import { sameJson } from '../codec/json-compare.ts'
import { type Conflict, merge } from '../codec/merge.ts'
import { isDocument } from './check-document.ts'
import type { PageCommand, RevisePage } from './decide-page.ts'
import { type Document, documentOf } from './document.ts'
import type { BlobAttached } from './events.ts'
import type { Blob, Entity } from './state.ts'

/** An entity before and after some of its events that follow one another without another one between. */
export interface Span {
  readonly before: Entity | null
  readonly after: Entity
}

/** What it takes to undo some events of an entity, step by step. */
export interface Undoing {
  readonly commands: readonly PageCommand[]
  readonly attach: readonly BlobAttached[]
  /** Names of files. */
  readonly detach: readonly string[]
  /**
   * What was changed since in another way, and stays: `path` begins with `/exists`, `/path`, `/document`, `/files` or `/draft`; `base` is what the
   * events made of it, `one` what it is, `other` what it was before them.
   */
  readonly conflicts: readonly Conflict[]
  /** Whether the parts of a document that are put together do not make one. */
  readonly isUnfit: boolean
  /** Whether what it would bring back, or what it is compared with, was erased. */
  readonly isErased: boolean
}

/** What readers see of an entity, and undoing can change; when it does not exist, nothing of the rest. */
interface Standing {
  readonly exists: boolean
  readonly path?: string
  readonly document?: Document
  readonly files?: Readonly<Record<string, Omit<Blob, 'since'>>>
}

/**
 * How to undo what readers saw of the events of an entity: what they changed becomes what it was before, and what was changed since by others stays, by
 * three-way merge of each span. A page that others have worked on since is neither deleted nor brought back.
 *
 * @param entity as it is now
 * @param spans newest first
 */
export function decideUndo(entity: Entity, spans: readonly Span[]): Undoing {
  const now = standingOf(entity)
  const conflicts: Conflict[] = []
  let target = now
  for (const { before, after } of spans) {
    const merged = merge(jsonOf(standingOf(after)), jsonOf(target), jsonOf(standingOf(before)))
    conflicts.push(...merged.conflicts)
    target = merged.value as unknown as Standing
  }
  const stays = conflicts.length > 0 && target.exists !== now.exists
  const kept = { conflicts, isErased: spans.some(isErased) }
  if (stays) return { commands: [], attach: [], detach: [], isUnfit: false, ...kept }
  return { ...stepsTo(entity, now, target, spans.at(-1)?.before ?? null), ...kept }
}

function standingOf(entity: Entity | null): Standing {
  if (entity === null || entity.live === null || entity.state !== 'live') return { exists: false }
  const { path, live } = entity
  return { exists: true, path, document: documentOf(live.document), files: filesOf(entity) }
}

/** Files by name. */
export function filesOf({ blobs }: Entity): NonNullable<Standing['files']> {
  const files = Object.entries(blobs).map(([name, { since: _, ...blob }]) => [name, blob])
  return Object.fromEntries(files)
}

function jsonOf(standing: Standing): Json {
  return standing as unknown as Json
}

function isErased({ before, after }: Span): boolean {
  return [before, after].some(state => (state?.live ?? null)?.erased !== undefined)
}

/** @param before the entity from before all that is undone */
function stepsTo(
  entity: Entity,
  now: Standing,
  target: Standing,
  before: Entity | null,
): Omit<Undoing, 'conflicts' | 'isErased'> {
  const none = { commands: [], attach: [], detach: [], isUnfit: false }
  const { path, document, files } = target
  if (!target.exists) return now.exists ? { ...none, commands: [{ type: 'DeletePage' }] } : none
  if (path === undefined || document === undefined) return none
  const commands: PageCommand[] = []
  if (!now.exists) commands.push({ type: 'UndeletePage', path })
  else if (path !== now.path) commands.push({ type: 'MovePage', to: path })
  const revise = revision(entity, document, before)
  if (revise !== null) commands.push(revise)
  return {
    commands,
    isUnfit: revise !== null && !fits(entity, revise),
    ...changed(filesOf(entity), files),
  }
}

function revision(entity: Entity, document: Document, before: Entity | null): RevisePage | null {
  const { live } = entity
  if (live === null || same(documentOf(live.document), document)) return null
  const old = before?.live ?? null
  const restored = old !== null && same(documentOf(old.document), document) ? old.revision : null
  const command = { type: 'RevisePage', document, base: live.revision } as const
  return restored === null ? command : { ...command, restored }
}

/** Whether a document is one; what was one before, or an old import's that keeps to no rules, is not asked. */
function fits({ live }: Entity, { document, restored }: RevisePage): boolean {
  if (restored !== undefined || isDocument(document)) return true
  return live !== null && !isDocument(documentOf(live.document))
}

/** Whether two values, which are JSON, are equal. */
export function same(one: unknown, other: unknown): boolean {
  return sameJson(one as Json, other as Json)
}

/** What to do that the files become those. @param now those of the entity; a deleted one has them still */
export function changed(
  now: NonNullable<Standing['files']>,
  files: Standing['files'] = {},
): Pick<Undoing, 'attach' | 'detach'> {
  const attach = Object.entries(files).filter(([name, file]) => !same(now[name] ?? null, file))
  return {
    attach: attach.map(([name, file]) => ({ name, ...file })),
    detach: Object.keys(now).filter(name => !Object.hasOwn(files, name)),
  }
}
