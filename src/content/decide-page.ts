import { diff } from '../codec/diff.ts'
import { hashDocument, type Json } from '../codec/json.ts'
import { measure } from '../codec/json-compare.ts'
import type { Operation } from '../codec/patch.ts'
import { toSegments } from '../codec/segments.ts'
import { Rm3Error } from '../errors.ts'
import { removeCredential } from './decide-rights.ts'
import type { Document, Stored } from './document.ts'
import { erasedBy } from './erased.ts'
import type { Content, Imported, NewEvent } from './events.ts'
import { DOCUMENT_MAX_BYTES, REDIRECT_MAX } from './limits.ts'
import { isUnder } from './path.ts'
import type { Entity } from './state.ts'

export interface CreatePage extends Imported {
  readonly type: 'CreatePage'
  readonly id: string
  readonly path: string
  readonly document: Document
  readonly draft?: boolean
}

export interface RevisePage extends Imported {
  readonly type: 'RevisePage'
  readonly document: Document
  /** The revision the author started from. */
  readonly base: number
  readonly draft?: boolean
  /** A small change: `modified` stays. */
  readonly minor?: boolean
  /** The revision that is brought back. */
  readonly restored?: number
}

export interface PublishPage extends Imported {
  readonly type: 'PublishPage'
  readonly revision: number
  /** The id of its event, and its document. */
  readonly revisionId: string
  readonly document: Document
  /** What said so beforehand. */
  readonly schedule?: string
}

export interface MovePage extends Imported {
  readonly type: 'MovePage'
  readonly to: string
}

export interface DeletePage extends Imported {
  readonly type: 'DeletePage'
  readonly redirect?: string
}

export interface UndeletePage {
  readonly type: 'UndeletePage'
  readonly path: string
}

export type PageCommand =
  | CreatePage
  | RevisePage
  | PublishPage
  | MovePage
  | DeletePage
  | UndeletePage

/**
 * What a command does to an entity, as events; [] when it changes nothing. Pure: whether the path is free and the caller may is decided
 * by who calls.
 *
 * @param entity null when there is none yet
 * @throws PAGE_NOT_FOUND, PAGE_GONE, PATH_TAKEN (the entity exists), NOTHING_TO_PUBLISH, MOVE_INTO_ITSELF, PAGE_NOT_DELETED,
 *   REDIRECT_INVALID, ERASED (there is nothing left to undelete)
 */
export function decidePage(entity: Entity | null, command: PageCommand): NewEvent[] {
  if (command.type === 'CreatePage') return create(entity, command)
  if (entity === null) throw new Rm3Error('PAGE_NOT_FOUND', 'there is no such page')
  if (command.type === 'UndeletePage') return undelete(entity, command)
  if (entity.state === 'deleted') {
    throw new Rm3Error('PAGE_GONE', `${entity.path} was deleted; undelete it first`, {
      path: entity.path,
    })
  }
  switch (command.type) {
    case 'RevisePage':
      return revise(entity, command)
    case 'PublishPage':
      return publish(entity, command)
    case 'MovePage':
      return move(entity, command)
    case 'DeletePage':
      return remove(entity, command)
    default:
      return unreachable(command)
  }
}

function create(entity: Entity | null, command: CreatePage): NewEvent[] {
  if (entity !== null) {
    throw new Rm3Error('PATH_TAKEN', `the entity ${entity.id} exists already`, {
      id: entity.id,
    })
  }
  const { path, document, draft } = command
  return [
    {
      type: 'PageCreated',
      stream: command.id,
      data: { path, document, ...(draft && { draft }), ...imported(command) },
    },
  ]
}

function revise(entity: Entity, command: RevisePage): NewEvent[] {
  const { document, base, draft, minor, restored } = command
  const content = contentOf(entity.tip, document)
  const same = 'patch' in content && content.patch.length === 0
  const changes = draft ? !same : !isShown(entity, document, same)
  if (!changes && command.number === undefined) return []
  const data = {
    base,
    ...content,
    ...(draft && { draft }),
    ...(minor && { minor }),
    ...(restored !== undefined && { restored }),
    ...imported(command),
  }
  return [{ type: 'PageRevised', stream: entity.id, data }]
}

/** Whether readers see that document already. @param isTip whether it is the newest one */
function isShown(
  { state, live, tipRevision }: Entity,
  document: Document,
  isTip: boolean,
): boolean {
  if (state !== 'live' || live === null) return false
  return live.revision === tipRevision ? isTip : patchTo(live.document, document).length === 0
}

function publish(entity: Entity, command: PublishPage): NewEvent[] {
  const { revision, revisionId, document, schedule } = command
  if (entity.state === 'live' && entity.live?.revision === revision) {
    throw new Rm3Error(
      'NOTHING_TO_PUBLISH',
      `revision ${revision} of ${entity.path} is live already`,
      { revision },
    )
  }
  const isTip = revision === entity.tipRevision
  const data = {
    revision,
    ...(!isTip && { revisionId, patch: patchTo(entity.tip, document) }),
    hash: hashDocument(document),
    ...(schedule !== undefined && { schedule }),
    ...imported(command),
  }
  return [{ type: 'PagePublished', stream: entity.id, data }]
}

function move(entity: Entity, command: MovePage): NewEvent[] {
  const { path: from } = entity
  const { to } = command
  if (to === from) return []
  if (isUnder(to, from)) {
    throw new Rm3Error('MOVE_INTO_ITSELF', `${to} is below ${from}`, { from, to })
  }
  return [{ type: 'PageMoved', stream: entity.id, data: { from, to, ...imported(command) } }]
}

/** What logs a user in goes for good with the page: to undelete brings back words, not passwords. */
function remove(entity: Entity, command: DeletePage): NewEvent[] {
  const { redirect } = command
  if (redirect !== undefined) checkRedirect(redirect)
  const data = { ...(redirect !== undefined && { redirect }), ...imported(command) }
  const credentials = Object.keys(entity.credentials)
  return [
    ...credentials.flatMap(credential => removeCredential(entity, credential)),
    { type: 'PageDeleted', stream: entity.id, data },
  ]
}

function undelete(entity: Entity, command: UndeletePage): NewEvent[] {
  if (entity.state !== 'deleted') {
    throw new Rm3Error('PAGE_NOT_DELETED', `${entity.path} is not deleted`, { path: entity.path })
  }
  if (erasedBy(entity) !== undefined) {
    throw new Rm3Error('ERASED', `what ${entity.path} said was erased`, { path: entity.path })
  }
  return [{ type: 'PageUndeleted', stream: entity.id, data: { path: command.path } }]
}

/** The shorter of the patch from `tip` and the whole document. */
export function contentOf(tip: Stored, document: Document): Content {
  const patch = patchTo(tip, document)
  if (isLarger(patch, document)) return { document }
  return { patch, hash: hashDocument(document) }
}

/** Whether a patch takes more than the whole document. Most are so small that the document need not be looked at. */
function isLarger(patch: Operation[], document: Document): boolean {
  const bytes = measure(patch as unknown as Json, DOCUMENT_MAX_BYTES)
  return bytes > SMALL_PATCH_BYTES && bytes >= measure(document as unknown as Json, bytes)
}

const SMALL_PATCH_BYTES = 200

/** How a document follows from the newest one of its entity. */
export function patchTo(tip: Stored, document: Document): Operation[] {
  return diff(tip, toSegments({ ...document }))
}

const LOCAL_REDIRECT = /^\/(?![/\\])[^\s\\\p{Cc}\p{Cs}]*$/u
const OUTSIDE_REDIRECT = /^https?:\/\/[^\s/\\@\p{Cc}\p{Cs}]+(\/[^\s\\\p{Cc}\p{Cs}]*)?$/u

/** Whether readers may be sent there: to a path of this site (`/a/b/`) or an http(s) address. */
export function isRedirect(text: string): boolean {
  if (text.length > REDIRECT_MAX) return false
  return LOCAL_REDIRECT.test(text) || (OUTSIDE_REDIRECT.test(text) && URL.canParse(text))
}

/** @throws REDIRECT_INVALID */
function checkRedirect(redirect: string): void {
  if (isRedirect(redirect)) return
  throw new Rm3Error(
    'REDIRECT_INVALID',
    'a redirect is a path of this site such as /a/b/, or an http:// or https:// address without a user name',
    { redirect: redirect.slice(0, 200) },
  )
}

function imported(command: Imported): Imported {
  const { number, created, modified } = command
  return {
    ...(number !== undefined && { number }),
    ...(created !== undefined && { created }),
    ...(modified !== undefined && { modified }),
  }
}

function unreachable(command: never): never {
  throw new Error(`unknown command ${JSON.stringify(command)}`)
}
