import { type BlobRow, listBlobs } from '../../projections/blobs.ts'
import { findShownEntity } from '../../projections/page-history.ts'
import type { Viewer } from '../access/viewer.ts'
import { diff } from '../codec/diff.ts'
import type { Operation } from '../codec/patch.ts'
import { type FieldChange, readableDiff } from '../codec/readable-diff.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import { type Document, documentOf, type Json } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import { resolveAt } from './at.ts'
import { erasedError } from './erased.ts'
import { findRevisionState, noRevision } from './read-past.ts'
import { mayReadPast, type Reader } from './reader.ts'
import { getSubject, type Subject } from './subject.ts'

/** A page at one of the two times that are compared. */
export interface Side {
  /** Whose content it is. */
  readonly revision: number
  readonly path: string
  readonly state: Entity['state']
  readonly document: Document
  /** The files that the viewer may have. */
  readonly files: readonly BlobRow[]
  /** As of when its files are. */
  readonly position: number
}

/** A file that differs; null on the side that has none of this name. */
export interface FileChange {
  readonly name: string
  readonly before: BlobRow | null
  readonly after: BlobRow | null
}

/** A page at two times. */
export interface Sides {
  readonly from: Side
  readonly to: Side
}

/**
 * A page at two times, to be compared by `patchBetween`, `changesBetween` and `filesBetween`.
 *
 * @param range each the number of a revision, or anything that `at` takes: then what readers saw
 * @throws PAGE_NOT_FOUND, REVISION_NOT_FOUND (also where nobody saw the page then), AT_INVALID, LOGIN_REQUIRED, PERMISSION_DENIED
 */
export async function readSides(
  site: Site,
  reader: Reader,
  path: string,
  range: { from: string; to: string },
): Promise<Sides> {
  const { viewer, subject } = await getSubject(site, reader, path)
  const side = (parameter: 'from' | 'to') =>
    sideOf(site, viewer, subject, { parameter, text: range[parameter] })
  const [from, to] = await Promise.all([side('from'), side('to')])
  return { from, to }
}

/** RFC 6902: what makes the document of `to` out of that of `from`. */
export function patchBetween({ from, to }: Sides): Operation[] {
  return diff(from.document as unknown as Json, to.document as unknown as Json)
}

/** What a person would say has changed: in the document, and as `/path` and `/state` where the page was and whether it was live. */
export function changesBetween({ from, to }: Sides): FieldChange[] {
  const whole = ({ path, state, document }: Side) => ({ path, state, ...document })
  return readableDiff(whole(from), whole(to))
}

/** The files that differ, by name. */
export function filesBetween({
  from: { files: before },
  to: { files: after },
}: Sides): FileChange[] {
  const names = new Set([...before, ...after].map(({ name }) => name))
  const named = (files: readonly BlobRow[], name: string) =>
    files.find(file => file.name === name) ?? null
  return [...names]
    .sort()
    .map(name => ({ name, before: named(before, name), after: named(after, name) }))
    .filter(one => one.before?.sha256 !== one.after?.sha256)
}

const NUMBER = /^[1-9]\d{0,8}$/

async function sideOf(
  site: Site,
  viewer: Viewer,
  subject: Subject,
  { parameter, text }: { parameter: 'from' | 'to'; text: string },
): Promise<Side> {
  const at = NUMBER.test(text)
    ? { revision: Number(text) }
    : await resolveAt(site.db, text, parameter)
  if ('revision' in at) return revisionSide(site, viewer, subject, at.revision)
  if ('position' in at) return shownSide(site, viewer, subject, at.position)
  const end = text.slice(0, 60)
  const message = `${parameter}=${end} lies ahead, and what lies ahead cannot be compared`
  throw new Rm3Error('AT_INVALID', message, { parameter, at: end })
}

async function revisionSide(
  site: Site,
  viewer: Viewer,
  subject: Subject,
  revision: number,
): Promise<Side> {
  const found = await findRevisionState(site.db, viewer, subject, { revision })
  if (found === null) throw noRevision(subject.path, revision)
  const { entity, event } = found
  const { path, state, tip } = entity
  const { position } = event
  const files = await filesOf(site, viewer, subject, { path, position })
  return { revision, path, state, position, files, document: documentOf(tip) }
}

/** What readers saw at a position. */
async function shownSide(
  site: Site,
  viewer: Viewer,
  subject: Subject,
  position: number,
): Promise<Side> {
  const shown = await findShownEntity(site.db, subject.id, position)
  const isReadable = shown !== null && mayReadPast(viewer, [subject.path, shown.path])
  const kept = isReadable ? await readState(site.db, subject.id, shown.revision) : null
  if (shown === null || kept?.kind !== 'entity') {
    const { path } = subject
    throw new Rm3Error('REVISION_NOT_FOUND', `there was no ${path} by then`, { path })
  }
  const { revision, path, state } = shown
  if (state === 'erased') throw await erasedError(site.db, { ...shown, path: subject.path })
  const files = await filesOf(site, viewer, subject, { path, position })
  return { revision, path, state, position, files, document: documentOf(kept.tip) }
}

async function filesOf(
  { db }: Site,
  viewer: Viewer,
  { id, path: now }: Subject,
  { path, position }: { path: string; position: number },
): Promise<BlobRow[]> {
  const files = await listBlobs(db, id, position)
  const mayAll = [now, path].every(at => viewer.may('post.edit', at))
  return mayAll ? files : files.filter(({ category }) => category === 'public')
}
