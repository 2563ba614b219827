import { assemble } from './assemble.ts'
import { type FoundBlob, type LegacyBlob, readBlobs } from './blobs.ts'
import { type Catalog, readCatalog } from './catalog.ts'
import { countsOf, type LegacyCounts } from './counts.ts'
import { type LegacyCredential, tellCredentials } from './credentials.ts'
import { openFolder, readJsonFile, type SourceFolder } from './files.ts'
import { type Finding, type Findings, failOnProblems, newFindings, spotOf } from './findings.ts'
import { sortLives } from './lives.ts'
import { lossesOf } from './losses.ts'
import { readPermissions } from './permissions.ts'
import type { Origin, PlannedAppend } from './plan.ts'
import { type LegacyRecord, readRecord } from './record.ts'
import { actorsOf, residentsOf } from './residents.ts'

/**
 * A backup of rm3 0.2 to 0.5, read and checked: what to append, in order of time, and what stands beside the log.
 *
 * `blobs`: one for each content and category. `warnings`: at most 1000, all of them in `counts`. `losses`: sentences
 * for the operator.
 */
export interface LegacyBackup {
  /** Of the rm3 that wrote it, '0.3.8'. */
  readonly version: string
  readonly dumpedAt: string
  readonly events: readonly PlannedAppend[]
  readonly blobs: readonly LegacyBlob[]
  readonly credentials: readonly LegacyCredential[]
  readonly warnings: readonly Finding[]
  readonly losses: readonly string[]
  readonly counts: LegacyCounts
}

const EPOCH = '1970-01-01T00:00:00.000Z'

/**
 * Reads the backup in `dir` whole and checks it whole, before anything could be written.
 *
 * @throws SOURCE_NOT_FOUND when there is no such folder
 * @throws SOURCE_DAMAGED with `file`, `place` (JSON pointer), `rule`, `problems` (at most 50) and `problemCount`
 */
export async function readLegacyBackup(dir: string): Promise<LegacyBackup> {
  const findings = newFindings()
  const folder = await openFolder(dir, findings)
  const catalog = await readCatalog(folder, Date.now())
  if (catalog === undefined) failOnProblems(findings)
  if (catalog === undefined) throw new Error('a catalog is refused with a reason')
  const records = await readRecords(catalog, folder)
  const permissions = await readJsonFile(folder, catalog.permissions)
  const credentials = await readJsonFile(folder, catalog.credentials)
  const blobs = await readBlobs(catalog, folder)
  failOnProblems(findings)

  const { version, dumpedAt } = catalog
  const { origin, lives, residents } = originOf(records, { ...catalog, findings })
  const material = {
    ...{ records, lives, residents, origin, findings, blobs },
    permissions: readPermissions(
      spotOf(catalog.permissions, permissions, findings),
      version,
      records,
    ),
    told: tellCredentials(spotOf(catalog.credentials, credentials, findings), records, origin),
  }
  failOnProblems(findings)
  const { appends } = assemble(material)
  failOnProblems(findings)
  return {
    version,
    dumpedAt,
    events: appends,
    blobs: distinct(blobs),
    credentials: material.told.credentials,
    warnings: findings.warnings,
    losses: lossesOf(version, appends),
    counts: countsOf(records, appends, blobs, findings.warningCount),
  }
}

/** What the records mean together, and who is who in them. */
export function originOf(
  records: readonly LegacyRecord[],
  of: { version: string; dumpedAt: string; identity: string; findings: Findings },
) {
  const lives = sortLives(records)
  const residents = residentsOf(lives.lives)
  const living = new Map(
    records.filter(({ content }) => content !== null).map(record => [record.path, record]),
  )
  const origin: Origin = {
    identity: of.identity,
    from: `rm3 ${of.version}`,
    dumpedAt: of.dumpedAt || EPOCH,
    actorOf: actorsOf(residents, of.findings),
    recordAt: path => living.get(path),
    idOf: lives.idOf,
  }
  return { origin, lives, residents }
}

async function readRecords(catalog: Catalog, folder: SourceFolder): Promise<LegacyRecord[]> {
  const { findings } = folder
  const records: LegacyRecord[] = []
  for (const { path, main } of catalog.entries) {
    if (main === '') continue
    const value = await readJsonFile(folder, main)
    if (value === undefined) continue
    const record = readRecord(value, { file: main, path, findings })
    if (record !== undefined) records.push(record)
  }
  return records
}

function distinct(found: readonly FoundBlob[]): LegacyBlob[] {
  const blobs = new Map<string, LegacyBlob>()
  for (const { blob } of found) {
    const key = `${blob.category} ${blob.sha256}`
    if (!blobs.has(key)) blobs.set(key, blob)
  }
  return [...blobs.values()]
}
