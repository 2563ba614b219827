import type { BlobAttached } from '../../content/events.ts'
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
 * marked as the draft's; one whose revision is not in the backup follows the page's first step.
 *
 * @param streamAt the page of a path's files
 */
export function attachBlobs(
  found: readonly FoundBlob[],
  streams: ReadonlyMap<string, Step[]>,
  known: { readonly origin: Origin; readonly streamAt: (path: string) => string | null },
): void {
  const streamOf = new Map<string, string>()
  for (const [stream, steps] of streams)
    for (const step of steps) streamOf.set(step.eventId, stream)
  for (const one of found) {
    const stream = streamOf.get(one.listed.revisionId) ?? known.streamAt(one.path)
    const steps = stream === null ? undefined : streams.get(stream)
    if (stream === null || steps === undefined || steps.length === 0) {
      warn(one.listed.spot, 'blob-homeless', 'the page is not here; the bytes are left out')
      continue
    }
    attach(one, steps, known.origin)
  }
}

function attach({ listed, blob }: FoundBlob, steps: Step[], origin: Origin): void {
  const own = steps.findIndex(step => step.eventId === listed.revisionId)
  const published = steps.findIndex(
    ({ fact, refersTo }) => fact.type === 'PagePublished' && refersTo === listed.revisionId,
  )
  if (own < 0) warn(listed.spot, 'blob-revision', 'the revision is not in the backup')
  const place = Math.max(published, own, 0)
  const step = steps[place]
  if (step === undefined) return
  const { fact } = step
  const ofDraft = 'draft' in fact.data && fact.data.draft === true
  const { sha256, sizeBytes, mediaType, category } = blob
  const data: BlobAttached = {
    ...{ name: listed.blobPath, sha256, sizeBytes, mediaType, category },
    ...(ofDraft && { draft: true }),
  }
  const eventId = derivedId('rm3 0.x blob', origin.identity, listed.file, sha256)
  const kept = withoutEmpty({
    revisionId: listed.revisionId,
    file: listed.file,
    provider: listed.original['provider'],
    source: listed.original['source'],
    temporary: listed.original['temporary'],
    entityPath: listed.original['entityPath'],
    details: detailsOf(listed),
    blob: othersIn(listed.original, FIELDS),
  })
  const attached = synthesised(
    origin,
    {
      fact: { type: 'BlobAttached', stream: fact.stream, data },
      ...{ eventId, at: step.at, time: step.time, actor: step.actor, kept, joined: true },
    },
    'blob of a revision',
  )
  steps.splice(behindJoined(steps, place), 0, attached)
}

function behindJoined(steps: readonly Step[], place: number): number {
  let behind = place + 1
  while (steps[behind]?.joined) behind++
  return behind
}

function foundBlob(entry: CatalogEntry, listed: CatalogBlob, hashed: HashedFile): FoundBlob {
  const { sha256, sizeBytes, head } = hashed
  const { file, category, blobPath } = listed
  const mediaType = mediaTypeOf(head, blobPath)
  return { listed, path: entry.path, blob: { sha256, file, sizeBytes, mediaType, category } }
}
