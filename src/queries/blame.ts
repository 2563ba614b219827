import {
  findShownEntity,
  listPublishedDrafts,
  pathAtRevision,
} from '../../projections/page-history.ts'
import type { Viewer } from '../access/viewer.ts'
import { type BlameNode, blameChange, blameNew } from '../codec/blame.ts'
import { type BlameField, blameFields } from '../codec/blame-fields.ts'
import { diff } from '../codec/diff.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import type { Stored } from '../content/document.ts'
import type { SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import type { Entity } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { Rm3Error } from '../errors.ts'
import { readStream } from '../log/read.ts'
import { type At, pastPosition } from './at.ts'
import { findRevisionState, noRevision } from './read-past.ts'
import { mayReadPast, type Reader } from './reader.ts'
import type { RevisionEntry } from './revision-entry.ts'
import { listEntries } from './revisions.ts'
import { getSubject, type Subject } from './subject.ts'

/** Who wrote what of a page. */
export interface Blame {
  readonly path: string
  /** Whose content it is. */
  readonly revision: number
  readonly fields: readonly BlameField[]
  /** Those that are named in the fields, newest first. */
  readonly revisions: readonly RevisionEntry[]
  /** The oldest revision that was looked at; what is older counts as written by it. */
  readonly since: number
}

/** Revisions that are gone through; of a page with more, what is older counts as written by the first of them. */
const REVISIONS_MAX = 10_000
/** Events between two of which others get their turn. */
const BATCH = 100
/** Contents of earlier revisions that are remembered, for those that go back to one. */
const KEPT_MAX = 2_000

/**
 * Who wrote which field, line and word of a page as it is, or as it was: the revisions that the reader may read alone count, so what
 * came by a draft that he may not read is of the revision that showed it. Moves change nothing; what a restored revision brings
 * back is of who wrote it.
 *
 * @param at null, or ahead, of which nobody has written anything: as readers see it, or the newest draft where nobody does
 * @throws PAGE_NOT_FOUND, REVISION_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED
 */
export async function readBlame(
  site: Site,
  reader: Reader,
  path: string,
  at: At | null,
): Promise<Blame> {
  const { viewer, subject } = await getSubject(site, reader, path)
  const wanted = await wantedRevision(site, subject, at)
  const found = await findRevisionState(site.db, viewer, subject, { revision: wanted })
  if (found === null) throw noRevision(path, wanted)
  const revision = found.entity.tipRevision
  const { tree, since } = await foldBlame(site, subject, {
    revision: wanted,
    isReadable: await readableBy(site, viewer, subject),
  })
  if (tree === null) throw noRevision(path, wanted)
  const fields = blameFields(tree)
  const named = new Set(fields.flatMap(revisionsOf))
  return {
    ...{ path, revision, fields, since },
    revisions: await listEntries(site.db, viewer, subject.id, [...named]),
  }
}

async function wantedRevision(site: Site, { id, path }: Subject, at: At | null): Promise<number> {
  if (at !== null && 'revision' in at) return at.revision
  const position = pastPosition(at)
  const shown = await findShownEntity(site.db, id, position ?? undefined)
  if (shown !== null) return shown.revision
  const state = position === null ? await readState(site.db, id) : null
  if (state?.kind === 'entity') return state.tipRevision
  throw new Rm3Error('REVISION_NOT_FOUND', `there was no ${path} by then`, { path })
}

/** Whether content of a revision may be read by the viewer, as `findRevisionState` says. */
async function readableBy(
  { db }: Site,
  viewer: Viewer,
  { id, path: now, former }: Subject,
): Promise<(event: SiteEvent) => boolean> {
  const published = new Set(await listPublishedDrafts(db, id))
  return ({ revision, data }) => {
    if ('erased' in data) return false
    const path = pathAtRevision(former, revision, now)
    if (!mayReadPast(viewer, [now, path])) return false
    const isDraft = 'draft' in data && data.draft === true
    return !isDraft || published.has(revision) || viewer.may('viewdraft', path)
  }
}

/** What a revision says, and who wrote it. */
interface Content {
  readonly tree: BlameNode
  readonly document: Stored
}

async function foldBlame(
  { db }: Site,
  { id }: Subject,
  until: { revision: number; isReadable: (event: SiteEvent) => boolean },
): Promise<{ tree: BlameNode | null; since: number }> {
  const start = Math.max(0, until.revision - REVISIONS_MAX)
  const begun = start === 0 ? null : ((await readState(db, id, start)) as Entity | null)
  const fold = new BlameFold(begun, until.isReadable)
  for (let from = start + 1; from <= until.revision; from += BATCH) {
    const to = Math.min(until.revision, from + BATCH - 1)
    for (const row of await readStream(db, id, { from, to })) fold.add(upcast(row))
  }
  return { tree: fold.shown, since: Math.max(1, start) }
}

/** Goes through the events of a page and keeps who wrote what. */
class BlameFold {
  #state: Entity | null
  readonly #isReadable: (event: SiteEvent) => boolean
  /** By the revision of the content; the readable ones. */
  readonly #contents = new Map<number, Content>()
  /** What each revision has: content of its own, or that of another. */
  readonly #owners = new Map<number, number>()
  #last: number | null = null

  constructor(begun: Entity | null, isReadable: (event: SiteEvent) => boolean) {
    this.#state = begun
    this.#isReadable = isReadable
    if (begun === null) return
    this.#keep(begun.revision, blameNew(begun.tip, begun.revision), begun.tip)
  }

  /** The readable content that was last written or went live. */
  get shown(): BlameNode | null {
    return this.#last === null ? null : (this.#contents.get(this.#last)?.tree ?? null)
  }

  add(event: SiteEvent): void {
    const before = this.#state
    const state = evolve(before, event) as Entity
    this.#state = state
    const { revision } = event
    const isContent = event.type === 'PageCreated' || event.type === 'PageRevised'
    if (isContent && this.#isReadable(event)) {
      this.#keep(revision, this.#blamed(event, before, state.tip), state.tip)
    } else if (event.type === 'PagePublished' && this.#contents.has(event.data.revision)) {
      this.#last = event.data.revision
    }
    const owner = event.type === 'PagePublished' ? event.data.revision : this.#last
    if (owner !== null) this.#owners.set(revision, owner)
  }

  #blamed(event: SiteEvent, before: Entity | null, document: Stored): BlameNode {
    const { revision, data } = event
    const base = this.#baseOf(event)
    if (base === null) return blameNew(document, revision)
    const isNext = base.document === before?.tip && 'patch' in data
    const patch = isNext && data.patch !== undefined ? data.patch : diff(base.document, document)
    return blameChange(base.tree, patch, revision)
  }

  /** What the author started from: the revision brought back, the base, or else what was written before. */
  #baseOf({ data }: SiteEvent): Content | null {
    const { restored, base } = data as { restored?: number; base?: number }
    for (const from of [restored, base]) {
      const owner = from === undefined ? undefined : (this.#owners.get(from) ?? from)
      const content = owner === undefined ? undefined : this.#contents.get(owner)
      if (content !== undefined) return content
    }
    return this.#last === null ? null : (this.#contents.get(this.#last) ?? null)
  }

  #keep(revision: number, tree: BlameNode, document: Stored): void {
    this.#contents.set(revision, { tree, document })
    this.#last = revision
    if (this.#contents.size <= KEPT_MAX) return
    for (const oldest of this.#contents.keys()) {
      this.#contents.delete(oldest)
      return
    }
  }
}

function revisionsOf(field: BlameField): number[] {
  if (!('lines' in field)) return [field.revision]
  return field.lines.flatMap(line => [line.revision, ...line.parts.map(({ revision }) => revision)])
}
