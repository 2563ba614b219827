import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { type Document, documentOf } from '../content/document.ts'
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

/** One revision of a page. @throws PAGE_NOT_FOUND, REVISION_NOT_FOUND, ERASED, LOGIN_REQUIRED, PERMISSION_DENIED */
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
