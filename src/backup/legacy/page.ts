import { uuidv7 } from 'uuidv7'
import { hashDocument, type Json } from '../../codec/json.ts'
import type { Document } from '../../content/document.ts'
import { assemble } from './assemble.ts'
import { originOf } from './backup.ts'
import { readDumpDate, readVersion } from './catalog.ts'
import { parseSource } from './files.ts'
import {
  type Finding,
  failOnProblems,
  newFindings,
  refuse,
  type Spot,
  spotIn,
  spotOf,
} from './findings.ts'
import type { PlannedAppend } from './plan.ts'
import { type LegacyRecord, readRecord } from './record.ts'

/**
 * One page out of a file of its own, as `rm3dump` of 0.x writes it or people wrote by hand.
 *
 * Ids are those of the file, new ones where it has none. Several known files share one, so a site that has the entity already needs a new one.
 */
export interface LegacyPage {
  readonly path: string
  readonly entityId: string
  readonly revisionId: string
  readonly number: number | null
  readonly document: Document
  readonly created: string | null
  readonly modified: string | null
  readonly touched: string | null
  /** Of the rm3 that wrote it; null where the file does not say. */
  readonly version: string | null
  readonly dumpedAt: string | null
  /** The page's events, as in a backup; null when the file has no history. */
  readonly history: readonly PlannedAppend[] | null
  readonly warnings: readonly Finding[]
}

/** How a single page is read. */
export interface PageOptions {
  /** What errors call the source; 'page' when not given. */
  readonly file?: string
  /** The entity of the user at a path, null when there is none: the authors are not in the file. */
  readonly actorOf?: (path: string) => string | null
}

/**
 * Reads a single-file dump.
 *
 * @param source text, or bytes in UTF-8
 * @throws SOURCE_DAMAGED as `readLegacyBackup` does
 */
export function readLegacyPage(source: string | Uint8Array, options: PageOptions = {}): LegacyPage {
  const { file = 'page' } = options
  const findings = newFindings()
  const value = parseSource(source, file)
  const record = readRecord(value, { file, path: null, findings, newId: uuidv7 })
  const spot = spotOf(file, value, findings)
  const version = given(spotIn(spot, 'dump_version'), readVersion)
  const dumpedAt = given(spotIn(spot, 'dump_date'), at => readDumpDate(at, Date.now()))
  failOnProblems(findings)
  const content = record?.content ?? null
  if (content === null) refuse(spotIn(spot, 'stub'), 'stub', 'there is no content, only a trace')
  failOnProblems(findings)
  if (record === undefined || content === null) throw new Error('both are refused above')
  const { document, created, modified } = content
  const when = dumpedAt ?? record.touched ?? modified ?? created
  const of = { value, version: version ?? '0.0.0', dumpedAt: when ?? '', actorOf: options.actorOf }
  const history = record.rows.length > 0 ? historyOf(record, of, spot) : null
  failOnProblems(findings)
  const { path, entityId, revisionId, number, touched } = record
  return {
    ...{ path, entityId, revisionId, number, document, created, modified, touched },
    ...{ version, dumpedAt, history, warnings: findings.warnings },
  }
}

function historyOf(
  record: LegacyRecord,
  of: {
    readonly value: Json
    readonly version: string
    readonly dumpedAt: string
    readonly actorOf: PageOptions['actorOf']
  },
  { findings }: Spot,
): readonly PlannedAppend[] {
  const { version, dumpedAt } = of
  const known = originOf([record], {
    ...{ version, dumpedAt, findings },
    identity: hashDocument(of.value),
  })
  const actorOf = (path: string | null, time: number) =>
    (path === null ? null : of.actorOf?.(path)) ?? known.origin.actorOf(path, time)
  const { appends } = assemble({
    ...known,
    ...{ records: [record], findings, blobs: [] },
    origin: { ...known.origin, actorOf },
    permissions: { grants: [], assignments: [] },
    told: { credentials: [], steps: new Map() },
  })
  return appends
}

function given<T>(spot: Spot, read: (spot: Spot) => T): T | null {
  return spot.value === undefined || spot.value === null ? null : read(spot)
}
