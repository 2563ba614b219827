import { restoreEvents, restoreFolder } from '../backup/folder/load.ts'
import { partLog } from '../backup/folder/part-log.ts'
import { type FolderPlan, planOfFolder } from '../backup/folder/plan.ts'
import { demandWhole } from '../backup/folder/tell.ts'
import type { FolderProof } from '../backup/folder/verify.ts'
import type { Restored, RestoreOptions } from '../backup/restore.ts'
import type { BlobStores } from '../blobs/store.ts'
import type { Json } from '../codec/json.ts'
import { demandEmpty, type ImportedSite, importSite } from '../commands/import.ts'
import { parsePath } from '../content/path.ts'
import type { ProvableEvent } from '../log/copy-history.ts'
import type { SiteDatabase } from '../pg/bulk.ts'
import { discoverProjections } from '../projector/discover.ts'
import type { Call, Outcome } from './command.ts'
import { loadIntoLive } from './load-into-live.ts'
import { openStores, withDatabase, withSite } from './open.ts'
import { putBlobs } from './put-blobs.ts'
import { withSteps } from './steps.ts'

/**
 * Loads a backup in a folder into an empty site: whole, as the log that it was; or a part of it, or only the present, as events of a new one.
 *
 * @throws SOURCE_NOT_FOUND, BACKUP_DAMAGED, BACKUP_INCOMPLETE, BACKUP_NEWER, SITE_NOT_EMPTY, PAGE_NOT_FOUND
 */
export async function loadOwn(call: Call, dir: string): Promise<Outcome> {
  const started = Date.now()
  const proof = await proveWhole(call, dir)
  const given = call.option('path')
  const path = given === null ? null : parsePath(given)
  if (call.flag('into-live')) {
    const plan = planOfFolder(dir, proof, { path, present: false })
    const note = `from the backup of ${proof.head?.recordedAt}`
    return loadIntoLive(call, dir, { ...plan, note })
  }
  if (proof.head?.contents !== 'history' || call.flag('nohistory')) {
    const plan = planOfFolder(dir, proof, { path, present: true })
    const imported = await importPlan(call, dir, plan)
    return importedOutcome({ call, dir, proof, imported, ms: Date.now() - started })
  }
  if (proof.head.path === null && path === null) {
    const restored = await restore(call, (database, to, options) =>
      restoreFolder(database, { dir, proof, stores: to }, options),
    )
    return restoredOutcome({ call, dir, proof, restored, ms: Date.now() - started })
  }
  const events = partLog(dir, path)
  const restored = await restore(call, (database, to, options) =>
    restoreEvents(database, { dir, events, stores: to }, options),
  )
  return partOutcome({ call, dir, proof, restored, events, ms: Date.now() - started })
}

/** Proves a backup, showing how far that is. @throws as `demandWhole` */
export function proveWhole(call: Call, dir: string): Promise<FolderProof> {
  return withSteps(call, onProgress =>
    demandWhole(dir, {
      signal: call.signal,
      onProgress: (done, total) => onProgress('verifying', done, total),
    }),
  )
}

type Restoring = (
  database: SiteDatabase,
  stores: BlobStores,
  options: RestoreOptions,
) => Promise<Restored>

async function restore(call: Call, work: Restoring): Promise<Restored> {
  return withDatabase(call, async ({ url }, config) => {
    const projections = await discoverProjections()
    const stores = await openStores(config)
    return withSteps(call, onProgress =>
      work({ url, site: config.site }, stores, {
        ...{ projections, onProgress, signal: call.signal, dryRun: call.flag('dry-run') },
        allowUnsafe: config.unsafeDatabaseAllowed,
      }),
    )
  })
}

async function importPlan(call: Call, dir: string, plan: FolderPlan): Promise<ImportedSite> {
  return withSite(call, async (site, config) => {
    await demandEmpty(site.db, plan)
    const dryRun = call.flag('dry-run')
    if (!dryRun) await putBlobs(call, config, { dir, blobs: plan.blobs })
    return withSteps(call, onProgress =>
      importSite(site, plan, { onProgress, dryRun, signal: call.signal }),
    )
  })
}

interface Done {
  readonly call: Call
  readonly dir: string
  readonly proof: FolderProof
  readonly ms: number
}

function restoredOutcome({
  call,
  dir,
  proof,
  restored,
  ms,
}: Done & { restored: Restored }): Outcome {
  const dryRun = call.flag('dry-run')
  const { events, head, projections } = restored
  const { position, chain, epoch } = head
  const { counts, missingBlobs } = proof
  const data = {
    ...{ loaded: !dryRun, dryRun, events, counts, missingBlobs },
    source: { dir, position: proof.head?.position, chain: proof.head?.chain },
    head: { position, chain, epoch },
    proof: { events: position, chain, chainEqual: chain === proof.head?.chain, projections },
    ms,
  }
  const text = [
    dryRun
      ? `Dry run: ${dir} can be loaded; nothing was kept.`
      : events === 0
        ? `${dir} was loaded before; the projections are built now.`
        : `Loaded ${dir}: ${events} events.`,
    `  ${counts?.entities} entities (${counts?.live} live), ${counts?.grants} grants, ${counts?.roles} roles of users, ${counts?.credentials} credentials, ${counts?.blobs} files`,
    `  read back: the log has ${position} events, each with its hash, and the chain ends with ${chain}, as in the backup`,
    ...(dryRun
      ? []
      : [`  projections built, and every row there as it was folded: ${projections.join(', ')}`]),
    ...(missingBlobs.length > 0
      ? [`  ${missingBlobs.length} files were missing when the backup was made`]
      : []),
  ].join('\n')
  return { text, data: data as unknown as Json }
}

function partOutcome({
  call,
  dir,
  proof,
  restored,
  events,
  ms,
}: Done & { restored: Restored; events: readonly ProvableEvent[] }): Outcome {
  const dryRun = call.flag('dry-run')
  const { head, projections } = restored
  const { position, chain, epoch } = head
  const streams = new Set(events.map(({ stream }) => stream)).size
  const erased = events.filter(({ salt }) => salt === null).length
  const data = {
    ...{ loaded: !dryRun, dryRun, events: restored.events },
    source: { dir, position: proof.head?.position, chain: proof.head?.chain },
    head: { position, chain, epoch },
    proof: { events: position, streams, erased, chain, projections },
    ms,
  }
  const text = [
    dryRun ? `Dry run: nothing was kept.` : `Loaded a part of ${dir}, as a new log.`,
    `  ${position} events of ${streams} entities${erased > 0 ? `, ${erased} of them erased` : ''}; each has its hash, and the chain, which begins anew, ends with ${chain}`,
    ...(dryRun
      ? []
      : [`  projections built, and every row there as it was folded: ${projections.join(', ')}`]),
  ].join('\n')
  return { text, data: data as unknown as Json }
}

function importedOutcome({
  call,
  dir,
  proof,
  imported,
  ms,
}: Done & { imported: ImportedSite }): Outcome {
  const dryRun = call.flag('dry-run')
  const { head, proof: compared } = imported
  const data = {
    ...{ loaded: !dryRun, dryRun, proof: compared },
    source: { dir, position: proof.head?.position, chain: proof.head?.chain },
    head: { position: head.position, chain: head.chain, epoch: head.epoch },
    ms,
  }
  const text = [
    dryRun ? `Dry run: nothing was kept.` : `Loaded ${dir} without history, as a new log.`,
    `  ${compared.events} events in ${compared.streams} streams: ${compared.pages} pages, ${compared.documents} whole documents, ${compared.blobs} files, ${compared.grants} grants, ${compared.roles} roles of users, ${compared.credentials} credentials`,
    `  compared with the backup: every event, every document, what the site shows of them`,
    `  log head ${head.position}, chain ${head.chain}`,
  ].join('\n')
  return { text, data: data as unknown as Json }
}
