import type { Json } from '../codec/json.ts'
import { measure } from '../codec/json-compare.ts'
import { type Conflict, merge } from '../codec/merge.ts'
import { checkDocument } from '../content/check-document.ts'
import { type Document, documentOf } from '../content/document.ts'
import { etagOf, etagsIn, type IfMatch } from '../content/if-match.ts'
import type { Entity } from '../content/state.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import type { Change } from './change.ts'
import { findSeen, type Version } from './versions.ts'

/** Larger documents are not sent along with an error. */
const DOCUMENT_MAX_BYTES = 1_000_000

/**
 * The error for an edit of a page that was changed meanwhile, with all that it takes to go on from there: `etag` and `revision` of the
 * page as it is, `current` (its document), `base` (what the editor started from, `baseRevision`) and the two changes together as `merged`,
 * or the `conflicts` between them (see `merge`: `one` is the editor's side). What the viewer may not see is left out, and what follows from it.
 */
export async function staleEdit(
  change: Change,
  entity: Entity,
  { ifMatch, edit }: { ifMatch: IfMatch; edit: (document: Document) => Document },
): Promise<Rm3Error> {
  const { path, live, tip, tipRevision } = entity
  const current = documentOf(live?.document ?? tip)
  const base = await findBase(change, entity, ifMatch)
  const shown = isSmall(current) && (base === null || isSmall(base.document))
  return new Rm3Error(
    'IF_MATCH_STALE',
    `${path} was changed since; read it again and repeat the change on what is there now`,
    {
      path,
      etag: etagOf(entity),
      revision: live?.revision ?? tipRevision,
      ...(shown && { current }),
      ...(shown && base && { base: base.document, baseRevision: base.revision }),
      ...(shown && base && together(base.document, edit, current)),
    },
  )
}

/** Of several ETags the newest that is known: what the editor most likely looked at. */
async function findBase(change: Change, entity: Entity, ifMatch: IfMatch): Promise<Version | null> {
  let newest: Version | null = null
  for (const etag of etagsIn(ifMatch, entity)) {
    const seen = await findSeen(change, entity, etag)
    if (seen !== null && seen.revision > (newest?.revision ?? 0)) newest = seen
  }
  return newest
}

function isSmall(document: Document): boolean {
  return measure(jsonOf(document), DOCUMENT_MAX_BYTES) <= DOCUMENT_MAX_BYTES
}

/** Both changes of a document, where neither stands in the other's way and the outcome is one. */
function together(
  base: Document,
  edit: (document: Document) => Document,
  current: Document,
): { merged?: Document; conflicts?: readonly Conflict[] } {
  try {
    const { value, conflicts } = merge(jsonOf(base), jsonOf(edit(base)), jsonOf(current))
    return conflicts.length > 0 ? { conflicts } : { merged: checkDocument(value) }
  } catch (thrown) {
    if (isRm3Error(thrown)) return {} // the edit does not even fit what it was made for
    throw thrown
  }
}

function jsonOf(document: Document): Json {
  return document as unknown as Json
}
