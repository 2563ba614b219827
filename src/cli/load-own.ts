import type { Counts } from '../backup/folder/format.ts'
import { besideFolder, restoreFolder } from '../backup/folder/load.ts'
import { eventsOfPart, planOfFolder } from '../backup/folder/plan.ts'
import { demandWhole } from '../backup/folder/tell.ts'
import type { FolderProof } from '../backup/folder/verify.ts'
import type { Restored } from '../backup/restore.ts'
import type { Json } from '../codec/json.ts'
import { parsePath } from '../content/path.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { counted } from '../scheme/words.ts'
import { accessData, accessLines, chainWords } from './access-lines.ts'
import { aheadLines } from './ahead-lines.ts'
import type { Call, Outcome } from './command.ts'
import { loadIntoLive } from './load-into-live.ts'
import { loadPart, loadPresent, restore } from './load-part.ts'
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
  const { position = 0, chain = '' } = proof.head ?? {}
  const source = {
    ...{ name: dir, told: { dir, position, chain }, beside: besideFolder(dir) },
    path: path ?? proof.head?.path ?? null,
  }
  if (call.flag('into-live')) {
    const { appends } = planOfFolder(dir, proof, { path, present: false })
    const note = `from the backup of ${proof.head?.recordedAt}`
    return loadIntoLive(call, { beside: source.beside, told: { dir }, appends, note })
  }
  if (proof.head?.contents !== 'history' || call.flag('nohistory')) {
    return loadPresent(call, source, planOfFolder(dir, proof, { path, present: true }))
  }
  if (proof.head.path === null && path === null) {
    const restored = await restore(call, (database, to, options) =>
      restoreFolder(database, { dir, proof, stores: to }, options),
    )
    return restoredOutcome({ call, dir, proof, restored, ms: Date.now() - started })
  }
  return loadPart(call, source, eventsOfPart(dir, path))
}

/** Proves a backup, showing how far that is. @throws as `demandWhole` */
function proveWhole(call: Call, dir: string): Promise<FolderProof> {
  return withSteps(call, onProgress =>
    demandWhole(dir, {
      signal: call.signal,
      onProgress: (done, total) => onProgress('verifying', done, total),
    }),
  ).catch(thrown => {
    throw isRm3Error(thrown, 'BACKUP_DAMAGED') ? withHint(thrown, dir) : thrown
  })
}

function withHint({ code, message, details }: Rm3Error, dir: string): Rm3Error {
  const hint = `If somebody changed it on purpose: rm3load -d ${dir} --edited --dry-run lists what differs`
  return new Rm3Error(code, `${message}\n${hint}`, details)
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
  const { events, head, access, projections } = restored
  const { position, chain, epoch } = head
  const { counts, missingBlobs } = proof
  const chainEqual = call.flag('without-access') || chain === proof.head?.chain
  const data = {
    ...{ loaded: !dryRun, dryRun, events, counts, missingBlobs, access: accessData(access) },
    source: { dir, position: proof.head?.position, chain: proof.head?.chain },
    head: { position, chain, epoch },
    proof: { events: position, chain, chainEqual, projections },
    ms,
  }
  const text = [
    dryRun
      ? `Dry run: ${dir} can be loaded; nothing was kept.`
      : events === 0
        ? `${dir} was loaded before; the projections are built now.`
        : `Loaded ${dir}: ${counted(events, 'event')}.`,
    ...(counts === null ? [] : [tellOf(counts)]),
    `  read back: the log has ${counted(position, 'event')}, each with its hash, and ${chainWords(call, chain, 'backup')}`,
    ...(dryRun
      ? []
      : [`  projections built, and every row there as it was folded: ${projections.join(', ')}`]),
    ...accessLines(call, access),
    ...aheadLines(head.recordedAt, Date.now()),
    ...(missingBlobs.length > 0
      ? [`  ${counted(missingBlobs.length, 'file')} had no bytes when the backup was made`]
      : []),
  ].join('\n')
  return { text, data: data as unknown as Json }
}

function tellOf({ entities, live, grants, roles, credentials, blobs }: Counts): string {
  return `  ${counted(entities, 'entity', 'entities')} (${live} live), ${counted(grants, 'grant')}, ${counted(roles, 'role')} of users, ${counted(credentials, 'credential')}, ${counted(blobs, 'file')}`
}
