import type { Viewer } from '../access/viewer.ts'
import { diff } from '../codec/diff.ts'
import type { Operation } from '../codec/patch.ts'
import { type FieldChange, readableDiff } from '../codec/readable-diff.ts'
import type { Site } from '../commands/change.ts'
import { type Document, documentOf, type Json } from '../content/document.ts'
import { findRevisionState, noRevision, type RevisionState } from './read-past.ts'
import type { Reader } from './reader.ts'
import type { RevisionEntry } from './revision-entry.ts'
import { findRevisionEntry } from './revisions.ts'
import { getSubject, type Subject } from './subject.ts'

/** A revision whole. */
export interface RevisionDocument extends RevisionEntry {
  /** Where the page was then. */
  readonly path: string
  readonly document: Document
}

/** One revision of a page. @throws PAGE_NOT_FOUND, REVISION_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED */
export async function getRevision(
  site: Site,
  reader: Reader,
  path: string,
  revision: number,
): Promise<RevisionDocument> {
  const { viewer, subject } = await getSubject(site, reader, path)
  const { entity } = await getState(site, viewer, subject, revision)
  const entry = await findRevisionEntry(site, viewer, subject.id, revision)
  if (entry === null) throw noRevision(path, revision)
  return { ...entry, path: entity.path, document: documentOf(entity.tip) }
}

/** How the documents of two revisions differ. */
export interface Difference {
  readonly from: RevisionState
  readonly to: RevisionState
  /** RFC 6902: what makes the document of `to` out of that of `from`. */
  readonly patch: Operation[]
}

/** Compares two revisions of a page. @throws as `getRevision` */
export async function diffRevisions(
  site: Site,
  reader: Reader,
  path: string,
  { from, to }: { from: number; to: number },
): Promise<Difference> {
  const states = await getBoth(site, reader, path, [from, to])
  const [before, after] = states.map(({ entity }) => documentOf(entity.tip) as unknown as Json)
  return { ...pair(states), patch: diff(before as Json, after as Json) }
}

/** As `diffRevisions`, for people. */
export async function readDifference(
  site: Site,
  reader: Reader,
  path: string,
  { from, to }: { from: number; to: number },
): Promise<{ from: RevisionState; to: RevisionState; changes: FieldChange[] }> {
  const states = await getBoth(site, reader, path, [from, to])
  const [before, after] = states.map(({ entity }) => documentOf(entity.tip))
  return { ...pair(states), changes: readableDiff(before as Document, after as Document) }
}

function pair(states: RevisionState[]): { from: RevisionState; to: RevisionState } {
  const [from, to] = states as [RevisionState, RevisionState]
  return { from, to }
}

async function getBoth(
  site: Site,
  reader: Reader,
  path: string,
  revisions: readonly number[],
): Promise<RevisionState[]> {
  const { viewer, subject } = await getSubject(site, reader, path)
  return Promise.all(revisions.map(revision => getState(site, viewer, subject, revision)))
}

async function getState(
  site: Site,
  viewer: Viewer,
  subject: Subject,
  revision: number,
): Promise<RevisionState> {
  const state = await findRevisionState(site.db, viewer, subject, { revision })
  if (state === null) throw noRevision(subject.path, revision)
  return state
}
