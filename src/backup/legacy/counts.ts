import type { FoundBlob } from './blobs.ts'
import type { PlannedAppend, PlannedEvent } from './plan.ts'
import type { LegacyRecord } from './record.ts'

/** How much a backup holds and how much is made of it. */
export interface LegacyCounts {
  /** Pages that are there, users among them. */
  readonly pages: number
  readonly users: number
  /** Rows of the old log. */
  readonly rows: number
  /** Revisions with content, drafts among them; publications of a draft are none. */
  readonly revisions: number
  readonly drafts: number
  readonly moves: number
  readonly deletions: number
  readonly grants: number
  readonly assignments: number
  readonly credentials: number
  /** Blobs as the backup lists them, one for each revision. */
  readonly blobs: number
  readonly blobBytes: number
  /** Events in the plan, and those of them that no row stands for. */
  readonly events: number
  readonly synthesised: number
  readonly warnings: number
}

/** Counts records, events and blobs. */
export function countsOf(
  records: readonly LegacyRecord[],
  appends: readonly PlannedAppend[],
  blobs: readonly FoundBlob[],
  warnings: number,
): LegacyCounts {
  const events = appends.flatMap(append => append.events)
  const living = records.filter(({ content }) => content !== null)
  const count = (...types: PlannedEvent['type'][]) =>
    events.filter(({ type }) => types.includes(type)).length
  return {
    pages: living.length,
    users: living.filter(({ content }) => content?.document.proto === 'user').length,
    rows: records.reduce((sum, { rows }) => sum + rows.length, 0),
    revisions: count('PageCreated', 'PageRevised'),
    drafts: events.filter(isDraft).length,
    moves: count('PageMoved'),
    deletions: count('PageDeleted'),
    grants: count('RolePermitted'),
    assignments: count('RoleAssigned'),
    credentials: count('CredentialSet'),
    blobs: blobs.length,
    blobBytes: blobs.reduce((sum, { blob }) => sum + blob.sizeBytes, 0),
    events: events.length,
    synthesised: events.filter(({ meta }) => meta.import['synthesised'] !== undefined).length,
    warnings,
  }
}

function isDraft({ type, data }: PlannedEvent): boolean {
  return (type === 'PageCreated' || type === 'PageRevised') && data.draft === true
}
