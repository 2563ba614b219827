import { planWithoutAccess } from '../backup/access.ts'
import { type Beside, blobsIn } from '../backup/beside.ts'
import { closureOf, type PartClosure } from '../backup/part-closure.ts'
import { partLog } from '../backup/part-log.ts'
import type { Restored, RestoreOptions } from '../backup/restore.ts'
import { restoreEvents } from '../backup/restore-events.ts'
import type { BlobStores } from '../blobs/store.ts'
import type { Json, JsonObject } from '../codec/json.ts'
import { demandEmpty, type ImportedSite, importSite, type SiteImport } from '../commands/import.ts'
import type { ProvableEvent } from '../log/copy-history.ts'
import type { SiteDatabase } from '../pg/bulk.ts'
import { discoverProjections } from '../projector/discover.ts'
import { counted } from '../scheme/words.ts'
import { accessData, accessLines } from './access-lines.ts'
import { aheadLines } from './ahead-lines.ts'
import type { Call, Outcome } from './command.ts'
import { importLines } from './import-lines.ts'
import { openStores, withDatabase, withSite } from './open.ts'
import { withSteps } from './steps.ts'

/** The backup that something is loaded from. */
export interface Source {
  /** What people call it. */
  readonly name: string
  /** What `--json` says of it. */
  readonly told: JsonObject
  readonly beside: Beside
  /** Where what is loaded begins; null is the whole site. */
  readonly path: string | null
}

/** Loads a part of a backup with its history into an empty site, as a log of its own. @throws what `restoreEvents` throws */
export async function loadPart(
  call: Call,
  { name, told, beside, path }: Source,
  part: readonly ProvableEvent[],
): Promise<Outcome> {
  const started = Date.now()
  const dryRun = call.flag('dry-run')
  const events = partLog(part)
  const {
    events: loaded,
    head,
    access,
    projections,
  } = await restore(call, (database, stores, options) =>
    restoreEvents(database, { events, beside, stores }, options),
  )
  const { position, chain, epoch } = head
  const streams = new Set(events.map(({ stream }) => stream)).size
  const erased = events.filter(({ salt }) => salt === null).length
  const closure = closureOf(events, path)
  const data = {
    ...{ loaded: !dryRun, dryRun, events: loaded, source: told, access: accessData(access) },
    head: { position, chain, epoch },
    proof: { events: position, streams, erased, chain, projections },
    part: { path, ...closure },
    ms: Date.now() - started,
  }
  const text = [
    dryRun ? `Dry run: nothing was kept.` : `Loaded a part of ${name}, as a new log.`,
    `  ${counted(position, 'event')} of ${counted(streams, 'entity', 'entities')}${erased > 0 ? `, ${erased} of them erased` : ''}; each has its hash, and the chain, which begins anew, ends with ${chain}`,
    ...closureLines(closure),
    ...(dryRun
      ? []
      : [`  projections built, every row there as it was folded: ${projections.join(', ')}`]),
    ...accessLines(call, access),
    ...aheadLines(head.recordedAt, Date.now()),
  ].join('\n')
  return { text, data: data as unknown as Json }
}

/** What comes with a part, and what does not: nothing in it needs the pages above, and of who is not known the id is shown. */
function closureLines({ files, authorsOutside, above }: PartClosure): string[] {
  const absent = [
    ...(above.length > 0 ? [above.join(', ')] : []),
    ...(authorsOutside.length > 0
      ? [`${counted(authorsOutside.length, 'user')} who wrote in it, shown by id`]
      : []),
  ]
  return [
    `  with ${counted(files, 'file')}${absent.length > 0 ? `; not in it: ${absent.join('; ')}` : ''}`,
  ]
}

/** Loads a backup, or a part of it, without its past into an empty site. @throws SITE_NOT_EMPTY, what `importSite` throws */
export async function loadPresent(
  call: Call,
  { name, told, beside }: Source,
  plan: SiteImport,
): Promise<Outcome> {
  const started = Date.now()
  const dryRun = call.flag('dry-run')
  const { head, proof, importId } = await importPlan(call, beside, plan)
  const { position, chain, epoch } = head
  const data = {
    ...{ loaded: !dryRun, dryRun, proof, importId, source: told },
    head: { position, chain, epoch },
    ms: Date.now() - started,
  }
  const text = [
    dryRun ? `Dry run: nothing was kept.` : `Loaded ${name} without history, as a new log.`,
    `  ${counted(proof.events, 'event')} in ${counted(proof.streams, 'stream')}: ${counted(proof.pages, 'page')}, ${counted(proof.documents, 'whole document')}, ${counted(proof.blobs, 'file')}, ${counted(proof.grants, 'grant')}, ${counted(proof.roles, 'role')} of users, ${counted(proof.credentials, 'credential')}`,
    `  compared with the backup: every event, every document, what the site shows of them`,
    `  log head ${position}, chain ${chain}`,
    ...importLines(importId),
  ].join('\n')
  return { text, data: data as unknown as Json }
}

/** Makes events of a plan, and puts the files that they attach into the stores. */
export async function importPlan(
  call: Call,
  beside: Beside,
  given: SiteImport,
): Promise<ImportedSite> {
  const plan = call.flag('without-access') ? planWithoutAccess(given) : given
  return withSite(call, async (site, config) => {
    await demandEmpty(site.db, plan)
    const { signal } = call
    const dryRun = call.flag('dry-run')
    const stores = await openStores(config)
    return withSteps(call, async onProgress => {
      const wanted = blobsIn(plan.appends.flatMap(({ events }) => events))
      const onFile = (done: number, total: number) => onProgress('files', done, total)
      if (!dryRun) await beside.putBlobs(wanted, stores, { signal, onProgress: onFile })
      return importSite(site, plan, { onProgress, dryRun, signal })
    })
  })
}

type Restoring = (
  database: SiteDatabase,
  stores: BlobStores,
  options: RestoreOptions,
) => Promise<Restored>

/** Brings a log into an empty site, showing how far that is. */
export async function restore(call: Call, work: Restoring): Promise<Restored> {
  return withDatabase(call, async ({ url }, config) => {
    const projections = await discoverProjections()
    const stores = await openStores(config)
    return withSteps(call, onProgress =>
      work({ url, site: config.site }, stores, {
        ...{ projections, onProgress, signal: call.signal, dryRun: call.flag('dry-run') },
        allowUnsafe: config.unsafeDatabaseAllowed,
        withoutAccess: call.flag('without-access'),
      }),
    )
  })
}
