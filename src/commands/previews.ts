import { type Document, documentOf } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import type { Change } from './change.ts'
import { type Missing, missingFor, missingIn } from './missing.ts'
import { pageAt, restoreRevision } from './pages.ts'
import { type Undeleted, undelete } from './undelete-below.ts'

/** What bringing a revision back would come to. For `rehearse`. */
export interface RestorePreview {
  /** The page as it is. */
  readonly page: Entity
  readonly entity: Entity
  readonly document: Document
  readonly missing: readonly Missing[]
}

/** Brings a revision, or fields of it, back, and says what would lack then. @throws as `restoreRevision` */
export async function previewRestore(
  change: Change,
  path: string,
  options: { revision: number; draft?: boolean; fields?: readonly string[] },
): Promise<RestorePreview> {
  const page = await pageAt(change, path)
  const lacking = await missingIn(change, path, options.revision)
  const entity = await restoreRevision(change, path, options)
  const document = documentOf(options.draft ? entity.tip : (entity.live?.document ?? entity.tip))
  const missing =
    options.fields === undefined ? lacking : await missingFor(change, page, { document, files: [] })
  return { page, entity, document, missing }
}

/** Brings a deleted page back, and says what would lack then. @throws as `undelete` */
export async function previewUndelete(
  change: Change,
  path: string,
  options: { to?: string; below: boolean; after: number },
): Promise<Undeleted & { readonly missing: readonly Missing[] }> {
  const undeleted = await undelete(change, path, options)
  const { top } = undeleted
  const document = documentOf(top.live?.document ?? top.tip)
  const missing = await missingFor(change, top, { document, files: [] })
  return { ...undeleted, missing }
}
