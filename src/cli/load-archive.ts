import { archiveParts, type LoadedArchive } from '../backup/archive/load.ts'
import { type Restored, restoreSite } from '../backup/restore.ts'
import { Rm3Error } from '../errors.ts'
import { discoverProjections } from '../projector/discover.ts'
import { keysOf } from './archive-keys.ts'
import { archiveSource } from './archive-source.ts'
import type { Call, Outcome } from './command.ts'
import { openStores, withDatabase } from './open.ts'
import { withSteps } from './steps.ts'

/**
 * Loads archives, each the continuation of the one before, into an empty site or one that ends where the first begins.
 *
 * @throws SOURCE_NOT_FOUND, BACKUP_DAMAGED, SITE_NOT_EMPTY, WRONG_KEY, BACKUP_NEWER, LOG_DAMAGED
 */
export async function loadArchives(call: Call, files: readonly string[]): Promise<Outcome> {
  for (const option of ['path', 'nohistory'] as const) {
    if (call.option(option) !== null || call.flag(option)) {
      throw new Rm3Error('USAGE', `an archive is loaded whole: --${option} does not go with it`)
    }
  }
  if (files.filter(file => file === '-').length > 1) {
    throw new Rm3Error('USAGE', 'stdin can be read once')
  }
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
          ...{ signal: call.signal, onProgress },
        },
      ),
    )
  })
  return outcomeOf(restored, loaded, { isDryRun, ms: Date.now() - started })
}

function outcomeOf(
  { events, head, projections }: Restored,
  archives: readonly LoadedArchive[],
  { isDryRun, ms }: { isDryRun: boolean; ms: number },
): Outcome {
  const { position, chain, epoch } = head
  const data = {
    ...{ loaded: !isDryRun, dryRun: isDryRun, events },
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
        : `Loaded ${names}: ${events} events.`,
    `  the log has ${position} events; read back, every one has its hash and the chain ends with ${chain}, as in the archive`,
    ...(isDryRun
      ? []
      : [`  projections built, every row there as it was folded: ${projections.join(', ')}`]),
    ...(missing > 0 ? [`  ${missing} files were missing when the archive was written`] : []),
  ]
  return { text: lines.join('\n'), data }
}
