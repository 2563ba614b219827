import type { BlobRow } from '../../../projections/blobs.ts'
import { readBlame } from '../../queries/blame.ts'
import { readChangeSizes } from '../../queries/change-sizes.ts'
import {
  changesBetween,
  type FileChange,
  filesBetween,
  readSides,
  type Side,
  type Sides,
} from '../../queries/compare.ts'
import { noRevision } from '../../queries/read-past.ts'
import type { RevisionEntry } from '../../queries/revision-entry.ts'
import { findRevisionEntry } from '../../queries/revisions.ts'
import { getSubject, type Subject } from '../../queries/subject.ts'
import { renderBlame } from '../../scheme/blame-view.ts'
import { renderDiff } from '../../scheme/diff-view.ts'
import { renderHistory } from '../../scheme/history-view.ts'
import type { RevisionEntry as ShownEntry } from '../../scheme/views.ts'
import type { ChangedFile } from '../../scheme/views-of-past.ts'
import { fileUrlOf } from '../routes/diff.ts'
import type { Chosen } from './chosen.ts'
import { contentBeside, isContent, listBefore, readDetails, shownEntry } from './entries.ts'
import { endOf, type Heading, readHeading } from './heading.ts'
import { imagesThen } from './images-of.ts'
import { linkQueryOf, restoreUrl, type Scene, urlWith, viewUrl } from './scene.ts'

/** Revisions on a page of a history. */
const ENTRIES = 50
/** Events looked through for what the oldest entry changed. */
const EARLIER = 10

/**
 * A page's history as HTML.
 *
 * @param before only revisions below; null: from the newest
 * @throws as `getSubject`
 */
export async function buildHistory(
  scene: Scene,
  before: number | null,
  chosen: Chosen,
): Promise<string> {
  const { site, scheme } = scene.pages
  const { viewer, path, when } = scene
  const { subject } = await getSubject(site, viewer, path)
  const end = await endOf(scene, subject)
  const from = before === null ? end : Math.min(before, end ?? before)
  const [listed, newest, head] = await Promise.all([
    listBefore(site, viewer, path, {
      before: from,
      limit: ENTRIES + EARLIER,
      filter: chosen.filter,
    }),
    listBefore(site, viewer, path, { before: end, limit: 1 }),
    readHeading(scene, subject, end),
  ])
  const entries = await shownEntries(scene, subject, { listed, head, isFiltered: chosen.isSet })
  const total = newest[0]?.revision ?? 0
  const history = (query: Record<string, number | string>) =>
    viewUrl(scene, path, 'history.html', { ...chosen.query, ...query })
  return renderHistory(scheme, {
    ...head,
    ...{ total, entries },
    ...pagerOf(listed, { before, total, isFiltered: chosen.isSet }, history),
    compareUrl: viewUrl({ ...scene, when: null }, path, 'diff.html'),
    compareFields: fieldsOf(scene),
    filter: {
      ...{ ...chosen.shown, isSet: chosen.isSet, fields: fieldsOf(scene) },
      action: viewUrl({ ...scene, when: null }, path, 'history.html'),
      allUrl: viewUrl(scene, path, 'history.html'),
    },
    blameUrl: head.live === null ? null : viewUrl(scene, path, 'blame.html'),
    undeleteUrl:
      when === null && head.subject.deleted && viewer.may('post.delete', path)
        ? restoreUrl(path)
        : null,
  })
}

function mayRestore({ when, viewer, path }: Scene, { subject }: Heading): boolean {
  return when === null && !subject.deleted && viewer.may('post.edit', path)
}

/** What is told of the entries: with a filter, neither how large a change was nor against what, for what is between is not there. */
async function shownEntries(
  scene: Scene,
  { id }: Subject,
  { listed, head, isFiltered }: { listed: RevisionEntry[]; head: Heading; isFiltered: boolean },
): Promise<ShownEntry[]> {
  const { db } = scene.pages.site
  const entries = listed.slice(0, ENTRIES)
  const contents = isFiltered ? [] : listed.filter(isContent).map(entry => entry.revision)
  const [details, sizes] = await Promise.all([
    readDetails(
      db,
      id,
      entries.map(entry => entry.revision),
    ),
    readChangeSizes(db, id, contents),
  ])
  return entries.map((entry, index) => {
    const before = isFiltered ? undefined : listed.slice(index + 1).find(isContent)
    return shownEntry(scene, entry, {
      live: head.live,
      previous: before?.revision ?? null,
      detail: details.get(entry.revision),
      size: sizes.get(entry.revision),
      mayRestore: mayRestore(scene, head),
    })
  })
}

/** Where the list goes on; with a filter the revision numbers say nothing of where the part before began. */
function pagerOf(
  listed: readonly RevisionEntry[],
  { before, total, isFiltered }: { before: number | null; total: number; isFiltered: boolean },
  history: (query: Record<string, number | string>) => string,
): { newerUrl: string | null; olderUrl: string | null } {
  const newer = (listed[0]?.revision ?? 0) + ENTRIES + 1
  const oldest = listed[ENTRIES - 1]
  return {
    newerUrl:
      before === null ? null : history(newer > total || isFiltered ? {} : { before: newer }),
    olderUrl: listed.length > ENTRIES && oldest ? history({ before: oldest.revision }) : null,
  }
}

/** Who wrote what of a page as HTML. @throws as `readBlame` */
export async function buildBlame(scene: Scene): Promise<string> {
  const { site, scheme } = scene.pages
  const { viewer, path } = scene
  const { subject } = await getSubject(site, viewer, path)
  const [blame, head] = await Promise.all([
    readBlame(site, viewer, path, scene.when),
    readHeading(scene, subject, await endOf(scene, subject)),
  ])
  const entries = blame.revisions.map(
    entry =>
      [entry.revision, shownEntry(scene, entry, { live: head.live, previous: null })] as const,
  )
  return renderBlame(scheme, {
    ...head,
    fields: blame.fields,
    revisions: new Map(entries),
    historyUrl: viewUrl(scene, path, 'history.html'),
  })
}

/** What changed between two times as HTML. @throws as `readSides` */
export async function buildDiff(
  scene: Scene,
  range: { from: string; to: string; isRendered: boolean },
): Promise<string> {
  const { site, scheme } = scene.pages
  const { viewer, path } = scene
  const { subject } = await getSubject(site, viewer, path)
  const sides = await readSides(site, viewer, path, range)
  const { from, to } = sides
  const numbers = [from.revision, to.revision] as const
  const [beside, head, ...entries] = await Promise.all([
    contentBeside(scene, { low: Math.min(...numbers), high: Math.max(...numbers) }),
    readHeading(scene, subject, await endOf(scene, subject)),
    ...numbers.map(revision => entryAt(scene, subject, revision)),
  ])
  const [before, after] = entries.map(entry =>
    shownEntry(scene, entry, { live: head.live, previous: null }),
  )
  if (before === undefined || after === undefined) throw noRevision(path, from.revision)
  const diff = (query: Record<string, number>) => viewUrl(scene, path, 'diff.html', query)
  return renderDiff(scheme, {
    ...head,
    ...{ from: before, to: after, changes: changesBetween(sides) },
    files: filesBetween(sides).map(file => shownFile(file, sides)),
    rendered: range.isRendered ? await renderedSides(scene, sides) : null,
    otherUrl: urlWith(scene, 'view', range.isRendered ? null : 'rendered'),
    restoreUrl:
      mayRestore(scene, head) && from.revision !== head.live
        ? restoreUrl(path, { revision: from.revision })
        : null,
    historyUrl: viewUrl(scene, path, 'history.html'),
    previousUrl: beside.before === null ? null : diff({ from: beside.before, to: from.revision }),
    nextUrl: beside.after === null ? null : diff({ from: to.revision, to: beside.after }),
  })
}

/** Both documents with the pictures of their time. */
async function renderedSides(scene: Scene, { from, to }: Sides) {
  const side = async (one: Side) => ({
    document: one.document,
    images: await imagesThen(scene, one),
  })
  return { from: await side(from), to: await side(to) }
}

function shownFile({ name, before, after }: FileChange, { from, to }: Sides): ChangedFile {
  const one = (file: BlobRow | null, side: Side) => {
    const url = file === null ? null : fileUrlOf(name, side)
    return file && url && { url, mediaType: file.mediaType, sizeBytes: file.sizeBytes }
  }
  return { name, before: one(before, from) || null, after: one(after, to) || null }
}

async function entryAt(
  { pages: { site }, viewer, path }: Scene,
  { id }: Subject,
  revision: number,
) {
  const entry = await findRevisionEntry(site, viewer, id, revision)
  if (entry === null) throw noRevision(path, revision)
  return entry
}

function fieldsOf(scene: Scene): { name: string; value: string }[] {
  return [...new URLSearchParams(linkQueryOf(scene))].map(([name, value]) => ({ name, value }))
}
