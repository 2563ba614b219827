import { existsSync } from 'node:fs'
import type { Beside } from '../backup/beside.ts'
import { isBackupFolder } from '../backup/folder/read-catalog.ts'
import { type LegacyBackup, readLegacyBackup } from '../backup/legacy/backup.ts'
import { besideLegacy } from '../backup/legacy/beside.ts'
import { secretsFor } from '../backup/part.ts'
import { snapshotOf } from '../backup/snapshot.ts'
import { subtreeOf } from '../backup/subtree.ts'
import type { Json } from '../codec/json.ts'
import type { ImportedSite, SiteImport } from '../commands/import.ts'
import { parsePath } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import { counted } from '../scheme/words.ts'
import type { Call, Outcome } from './command.ts'
import { importLines } from './import-lines.ts'
import { loadEdited } from './load-edited.ts'
import { loadIntoLive } from './load-into-live.ts'
import { loadOwn } from './load-own.ts'
import { importPlan } from './load-part.ts'

const WARNINGS_SHOWN = 20

/** Loads a backup into an empty site: one of this rm3 or of rm3 0.x. @throws what `loadOwn` throws; SOURCE_NOT_FOUND, SOURCE_DAMAGED, SITE_NOT_EMPTY, PAGE_NOT_FOUND */
export async function loadFolder(call: Call, dir: string): Promise<Outcome> {
  const isOwn = isBackupFolder(dir)
  if (call.flag('edited') && isOwn) return loadEdited(call, dir)
  if (call.flag('edited') && existsSync(dir)) {
    throw new Rm3Error(
      'USAGE',
      'a backup of rm3 0.x proves nothing of itself: it loads without --edited, edited or not',
    )
  }
  if (isOwn) return loadOwn(call, dir)
  return loadLegacy(call, dir)
}

async function loadLegacy(call: Call, dir: string): Promise<Outcome> {
  const started = Date.now()
  const backup = await readLegacyBackup(dir)
  const beside = besideLegacy(dir, backup)
  const plan = planOf(call, backup, beside)
  if (call.flag('into-live')) {
    const { appends } = plan
    const note = `from the backup of ${backup.dumpedAt}`
    return loadIntoLive(call, { beside, told: { dir }, appends, note })
  }
  const loaded = await importPlan(call, beside, plan)
  return summaryOf({ call, dir, backup, plan, loaded, ms: Date.now() - started })
}

function planOf(call: Call, backup: LegacyBackup, beside: Beside): SiteImport {
  const path = call.option('path')
  const whole = path === null ? backup.events : subtreeOf(backup.events, parsePath(path))
  if (whole.length === 0 && path !== null) {
    throw new Rm3Error('PAGE_NOT_FOUND', `the backup has nothing at or below ${path}`, { path })
  }
  const appends = call.flag('nohistory') ? snapshotOf(whole) : whole
  return { appends, secrets: secretsFor(appends, beside) }
}

interface Summary {
  readonly call: Call
  readonly dir: string
  readonly backup: LegacyBackup
  readonly plan: SiteImport
  readonly loaded: ImportedSite
  readonly ms: number
}

function summaryOf({ call, dir, backup, plan, loaded, ms }: Summary): Outcome {
  const { head, proof, importId } = loaded
  const { version, dumpedAt, counts, warnings, losses } = backup
  const first = plan.appends[0]?.recordedAt ?? null
  const last = plan.appends.at(-1)?.recordedAt ?? null
  const dryRun = call.flag('dry-run')
  const data = {
    loaded: !dryRun,
    dryRun,
    source: { dir, version: `rm3 ${version}`, dumpedAt, counts },
    proof,
    importId,
    head: { position: head.position, chain: head.chain, epoch: head.epoch },
    from: first,
    until: last,
    warnings,
    warningCount: counts.warnings,
    losses,
    ms,
  }
  return { text: textOf(data), data: data as unknown as Json }
}

function textOf(data: {
  dryRun: boolean
  source: { dir: string; version: string; dumpedAt: string }
  proof: ImportedSite['proof']
  importId: string | null
  head: { position: number; chain: string }
  from: string | null
  until: string | null
  warnings: LegacyBackup['warnings']
  warningCount: number
  losses: readonly string[]
}): string {
  const { proof, head, source, warnings, warningCount } = data
  const shown = warnings.slice(0, WARNINGS_SHOWN)
  const more = warningCount - shown.length
  return [
    data.dryRun
      ? `Dry run: ${source.dir} (${source.version}, written ${source.dumpedAt}) can be loaded; nothing was kept.`
      : `Loaded ${source.dir} (${source.version}, written ${source.dumpedAt}).`,
    `  ${counted(proof.pages, 'page')}, ${counted(proof.documents, 'revision')} with content, ${counted(proof.blobs, 'file')}, ${counted(proof.grants, 'grant')}, ${counted(proof.roles, 'role')} of users, ${counted(proof.credentials, 'credential')}`,
    `  ${counted(proof.events, 'event')} in ${counted(proof.streams, 'stream')}, from ${data.from} to ${data.until}`,
    `  compared with the backup: every event, every document by its hash, what the site shows of them`,
    `  log head ${head.position}, chain ${head.chain}`,
    ...importLines(data.importId),
    ...(warningCount > 0 ? ['', `Warnings (${warningCount}):`] : []),
    ...shown.map(
      ({ file, place, message }) => `  ${file}${place === '' ? '' : ` at ${place}`}: ${message}`,
    ),
    ...(more > 0 ? [`  and ${more} more (--json tells up to 1000)`] : []),
    '',
    'What a backup of rm3 0.x cannot contain:',
    ...data.losses.map(loss => `  ${loss}`),
  ].join('\n')
}
