import { archiveParts, type LoadedArchive } from '../backup/archive/load.ts'
import { readArchivePart } from '../backup/archive/part.ts'
import { appendsOf, presentOf } from '../backup/part.ts'
import { type Restored, restoreSite } from '../backup/restore.ts'
import { parsePath } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import { discoverProjections } from '../projector/discover.ts'
import { counted } from '../scheme/words.ts'
import { accessData, accessLines, chainWords } from './access-lines.ts'
import { aheadLines } from './ahead-lines.ts'
import { keysOf } from './archive-keys.ts'
import { archiveSource } from './archive-source.ts'
import type { Call, Outcome } from './command.ts'
import { loadIntoLive } from './load-into-live.ts'
import { loadPart, loadPresent } from './load-part.ts'
import { openStores, withDatabase } from './open.ts'
import { withSteps } from './steps.ts'

/**
 * Loads archives, each the continuation of the one before: into an empty site or one that ends where the first begins; or what they tell of a
 * part, or of the present, into an empty site or a site in use.
 *
 * @throws SOURCE_NOT_FOUND, BACKUP_DAMAGED, SITE_NOT_EMPTY, WRONG_KEY, BACKUP_NEWER, LOG_DAMAGED, what `readArchivePart` throws
 */
export async function loadArchives(call: Call, files: readonly string[]): Promise<Outcome> {
  const isPart = call.option('path') !== null || call.flag('nohistory') || call.flag('into-live')
  if (isPart && files.includes('-')) {
    const message = 'a part of an archive is looked for twice: save the archive to a file first'
    throw new Rm3Error('USAGE', message)
  }
  if (files.filter(file => file === '-').length > 1) {
    throw new Rm3Error('USAGE', 'stdin can be read once')
  }
  return isPart ? loadArchivePart(call, files) : loadWhole(call, files)
}

async function loadArchivePart(call: Call, files: readonly string[]): Promise<Outcome> {
  const given = call.option('path')
  const path = given === null ? null : parsePath(given)
  const keys = await keysOf(call)
  const sources = files.map(file => archiveSource(call, file))
  const { head, events, beside } = await withSteps(call, onProgress =>
    readArchivePart(sources, { path, keys, onProgress, signal: call.signal }),
  )
  const archives = [...files]
  if (call.flag('into-live')) {
    const note = `from the backup of ${head.recordedAt}`
    return loadIntoLive(call, { appends: appendsOf(events), beside, note, told: { archives } })
  }
  const { position, chain } = head
  const source = { name: files.join(', '), told: { archives, position, chain }, beside, path }
  if (!call.flag('nohistory')) return loadPart(call, source, events)
  return loadPresent(call, source, presentOf(appendsOf(events), beside))
}

async function loadWhole(call: Call, files: readonly string[]): Promise<Outcome> {
  const started = Date.now()
  const keys = await keysOf(call)
  const sources = files.map(file => archiveSource(call, file))
  const isDryRun = call.flag('dry-run')
  const loaded: LoadedArchive[] = []
  const restored = await withDatabase(call, async ({ url }, config) => {
    const projections = await discoverProjections()
    const stores = isDryRun ? null : await openStores(config)
    return withSteps(call, onProgress =>
      restoreSite(
        { url, site: config.site },
        archiveParts(sources, loaded, { keys, stores, signal: call.signal, onProgress }),
        {
          ...{ projections, allowUnsafe: config.unsafeDatabaseAllowed, dryRun: isDryRun },
          ...{ signal: call.signal, onProgress, withoutAccess: call.flag('without-access') },
        },
      ),
    )
  })
  return outcomeOf(call, { restored, archives: loaded, ms: Date.now() - started })
}

function outcomeOf(
  call: Call,
  done: { restored: Restored; archives: readonly LoadedArchive[]; ms: number },
): Outcome {
  const { restored, archives, ms } = done
  const { events, head, access, projections } = restored
  const isDryRun = call.flag('dry-run')
  const { position, chain, epoch } = head
  const data = {
    ...{ loaded: !isDryRun, dryRun: isDryRun, events, access: accessData(access) },
    archives: archives.map(({ name, header, blobs, missingBlobs, isLoaded }) => ({
      ...{ name, loaded: isLoaded, blobs, missingBlobs },
      ...{ parent: { ...header.parent }, head: { ...header.head } },
    })),
    head: { position, chain, epoch },
    proof: { events: position, chain, chainEqual: true, projections: [...projections] },
    ms,
  }
  const missing = archives.reduce((sum, { missingBlobs }) => sum + missingBlobs, 0)
  const names = archives.map(({ name }) => name).join(', ')
  const lines = [
    isDryRun
      ? `Dry run: ${names} can be loaded; nothing was kept.`
      : events === 0
        ? `${names} was loaded before; the projections are built now.`
        : `Loaded ${names}: ${counted(events, 'event')}.`,
    `  the log has ${counted(position, 'event')}; read back, every one has its hash and ${chainWords(call, chain, 'archive')}`,
    ...(isDryRun
      ? []
      : [`  projections built, every row there as it was folded: ${projections.join(', ')}`]),
    ...accessLines(call, access),
    ...aheadLines(head.recordedAt, Date.now()),
    ...(missing > 0
      ? [`  ${counted(missing, 'file')} had no bytes when the archive was written`]
      : []),
  ]
  return { text: lines.join('\n'), data }
}
