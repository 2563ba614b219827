import type { JsonObject } from '../../codec/json.ts'
import type { BlobAttached, NewEvent } from '../../content/events.ts'
import { type Catalog, type CatalogBlob, type CatalogEntry, detailsOf } from './catalog.ts'
import { othersIn } from './fields.ts'
import { type HashedFile, hashFile, type SourceFolder } from './files.ts'
import { warn } from './findings.ts'
import { derivedId } from './ids.ts'
import { withoutEmpty } from './kept.ts'
import { mediaTypeOf } from './media-type.ts'
import { type Origin, type Step, synthesised } from './plan.ts'

/** A blob's bytes: `file` is a plain name in the backup's folder. Several events may speak of one `sha256`. */
export interface LegacyBlob {
  readonly sha256: string
  readonly file: string
  readonly sizeBytes: number
  readonly mediaType: string
  readonly category: 'public' | 'private'
}

/** A listed blob, what it holds, and the page whose files it is among. */
export interface FoundBlob {
  readonly listed: CatalogBlob
  readonly path: string
  readonly blob: LegacyBlob
}

const OF_REVISION = 'blob of a revision'
const OF_DRAFT = 'the blob before it is put back: that one is of a draft'
const FIELDS = new Set(
  'category provider entityPath blobPath revisionId source temporary details'.split(' '),
)

/** Hashes the files of all blobs. Those that cannot be read are refused. */
export async function readBlobs(catalog: Catalog, folder: SourceFolder): Promise<FoundBlob[]> {
  const found: FoundBlob[] = []
  for (const entry of catalog.entries) {
    for (const listed of entry.blobs) {
      const hashed = await hashFile(folder, listed.file)
      if (hashed !== undefined) found.push(foundBlob(entry, listed, hashed))
    }
  }
  return found
}

/**
 * Puts each blob behind the step of its revision, in the same append. A blob of a draft follows its publication, or is
 * put away again at once when it never was; one whose revision is not in the backup follows the page's first step.
 *
 * @param streamAt the page of a path's files
 */
export function attachBlobs(
  found: readonly FoundBlob[],
  streams: Map<string, Step[]>,
  known: { readonly origin: Origin; readonly streamAt: (path: string) => string | null },
): void {
  const streamOf = new Map<string, string>()
  for (const [stream, steps] of streams)
    for (const step of steps) streamOf.set(step.eventId, stream)
  const byStream = new Map<string, FoundBlob[]>()
  for (const one of found) {
    const stream = streamOf.get(one.listed.revisionId) ?? known.streamAt(one.path)
    if (stream === null || !streams.has(stream)) {
      warn(one.listed.spot, 'blob-homeless', 'the page is not here; the bytes are left out')
      continue
    }
    const own = byStream.get(stream)
    if (own === undefined) byStream.set(stream, [one])
    else own.push(one)
  }
  for (const [stream, blobs] of byStream)
    streams.set(stream, withBlobs(streams.get(stream) ?? [], blobs, known.origin))
}

function withBlobs(steps: readonly Step[], found: readonly FoundBlob[], origin: Origin): Step[] {
  const places = new Map<string, number>()
  for (const [place, { eventId }] of steps.entries()) places.set(eventId, place)
  for (const [place, { fact, refersTo }] of steps.entries())
    if (fact.type === 'PagePublished' && refersTo) places.set(refersTo, place)
  const behind = new Map<number, FoundBlob[]>()
  for (const one of found) {
    const { listed } = one
    const place = places.get(listed.revisionId)
    if (place === undefined) warn(listed.spot, 'blob-revision', 'the revision is not in the backup')
    const there = behind.get(place ?? 0)
    if (there === undefined) behind.set(place ?? 0, [one])
    else there.push(one)
  }
  const current = new Map<string, BlobAttached>()
  return steps.flatMap((step, place) => [
    step,
    ...(behind.get(place) ?? []).flatMap(one => attach(one, { step, current, origin })),
  ])
}

/** The blob of a draft is attached and put back at once: the log has it, the live page does not show it. */
function attach(
  { listed, blob }: FoundBlob,
  to: { step: Step; current: Map<string, BlobAttached>; origin: Origin },
): Step[] {
  const { step, current, origin } = to
  const { fact, at, time, actor } = step
  const ofDraft = 'draft' in fact.data && fact.data.draft === true
  const { sha256, sizeBytes, mediaType, category } = blob
  const name = listed.blobPath
  const data: BlobAttached = { name, sha256, sizeBytes, mediaType, category }
  const before = current.get(name)
  if (!ofDraft) current.set(name, data)
  const { stream } = fact
  const putBack: NewEvent = before
    ? { type: 'BlobAttached', stream, data: before }
    : { type: 'BlobDetached', stream, data: { name } }
  const stepOf = (event: NewEvent, kept: JsonObject, why: string) => {
    const eventId = derivedId('rm3 0.x blob', origin.identity, listed.file, sha256, why)
    return synthesised(
      origin,
      { ...{ fact: event, eventId, at, time, actor, kept }, joined: true },
      why,
    )
  }
  const attached = stepOf({ type: 'BlobAttached', stream, data }, keptOfBlob(listed), OF_REVISION)
  return ofDraft ? [attached, stepOf(putBack, { file: listed.file }, OF_DRAFT)] : [attached]
}

function keptOfBlob(listed: CatalogBlob): JsonObject {
  const { provider, source, temporary, entityPath } = listed.original
  return withoutEmpty({
    ...{ revisionId: listed.revisionId, file: listed.file },
    ...{ provider, source, temporary, entityPath },
    details: detailsOf(listed),
    blob: othersIn(listed.original, FIELDS),
  })
}

function foundBlob(entry: CatalogEntry, listed: CatalogBlob, hashed: HashedFile): FoundBlob {
  const { sha256, sizeBytes, head } = hashed
  const { file, category, blobPath } = listed
  const mediaType = mediaTypeOf(head, blobPath)
  return { listed, path: entry.path, blob: { sha256, file, sizeBytes, mediaType, category } }
}
