import { randomInt } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type Identity, parseIdentities } from '../backup/age/keys.ts'
import type { Keys } from '../backup/age/wrap.ts'
import { archiveParts } from '../backup/archive/load.ts'
import { chainOf } from '../backup/chains.ts'
import { type Drill, rehearse as rehearseBackup } from '../backup/drill.ts'
import { restoreFolder } from '../backup/folder/load.ts'
import { demandWhole } from '../backup/folder/tell.ts'
import { type Restored, restoreSite } from '../backup/restore.ts'
import { makeScheduledBackup, readBackupSettings } from '../backup/scheduled.ts'
import { readShelf, type ShelvedBackup } from '../backup/shelf.ts'
import type { BlobStores } from '../blobs/store.ts'
import type { Json } from '../codec/json.ts'
import type { Config } from '../config.ts'
import { Rm3Error } from '../errors.ts'
import type { SiteDatabase } from '../pg/bulk.ts'
import { discoverProjections } from '../projector/discover.ts'
import { counted, sizeInWords } from '../scheme/words.ts'
import { keysOf, READING_KEYS } from './archive-keys.ts'
import { archiveSource } from './archive-source.ts'
import type { Call, Command, Outcome } from './command.ts'
import { openStores, withDatabase, withSiteOf } from './open.ts'
import { version } from './program.ts'
import { withSteps } from './steps.ts'

const RANDOM_STEPS = 2 ** 40

/** `rm3backup scheduled`. */
export const scheduled: Command = {
  name: 'scheduled',
  summary: 'makes a backup as the settings of the site say, and removes what they do not keep',
  details: `What the worker "backup" runs. It goes into RM3_BACKUPS under a name that says when; backup.kind says whether it is an archive or a folder,
backup.full of how many archives one is whole while the others continue the one before, RM3_BACKUP_RECIPIENT whom they are encrypted for. It is
read again (an encrypted one when RM3_BACKUP_IDENTITY is there) before anything is removed, which backup.keep rules. Exit code 11: another one, or forget, is at work in that folder.`,
  run: call =>
    withDatabase(call, (database, config) =>
      withSiteOf(call, database, config, async site => {
        const settings = await readBackupSettings(site.db)
        const source = { url: database.url, site: config.site, stores: await openStores(config) }
        const made = await withSteps(call, onProgress =>
          makeScheduledBackup(source, settings, {
            shelf: config.backupsFolder,
            recipients: config.backupRecipients,
            identities: identitiesOf(config),
            program: `rm3 ${version()}`,
            now: site.now(),
            ...{ signal: call.signal, onProgress },
          }),
        )
        const { backup, verified, parts, kept, removed } = made
        const text = [
          `Wrote ${join(config.backupsFolder, backup.name)}, ${sizeInWords(backup.sizeBytes)}, up to position ${backup.position}.`,
          ...(parts > 1
            ? [
                `  it goes on from position ${backup.since?.position}: to load it takes ${parts} archives`,
              ]
            : []),
          verified
            ? '  read again: it is whole'
            : '  encrypted: it cannot be read again here, for RM3_BACKUP_IDENTITY is not set',
          `  ${counted(kept, 'backup')} there, ${removed.length} removed`,
        ].join('\n')
        return { text, data: made as unknown as Json }
      }),
    ),
}

/** `rm3backup rehearse`. */
export const rehearse: Command = {
  name: 'rehearse',
  summary:
    'loads a backup into a schema of its own, compares it with the site, and removes it again',
  arguments: [
    {
      name: 'BACKUP',
      summary: 'a folder or an archive; the newest in RM3_BACKUPS when not given',
      optional: true,
    },
  ],
  options: READING_KEYS,
  details: `What the worker "restore-drill" runs. The backup is loaded, proved and built as rm3load does it, and a hundred pages as of some
positions are read from it and from the site. It needs room for the site once more. An increment is loaded behind what it continues, which is looked
for in its folder; an encrypted archive opens with RM3_BACKUP_IDENTITY where no key is given. Exit codes as of rm3load, 10 when there is no backup.`,
  run: call => run(call),
}

async function run(call: Call): Promise<Outcome> {
  const given = await keysOf(call)
  return withDatabase(call, (database, config) =>
    withSiteOf(call, database, config, async site => {
      const keys = isNone(given) ? { ...given, identities: identitiesOf(config) } : given
      const chain = await chainFor(call, config)
      const path = chain.at(-1) as string
      const options = {
        projections: await discoverProjections(),
        allowUnsafe: config.unsafeDatabaseAllowed,
        signal: call.signal,
      }
      const load = async (to: SiteDatabase, stores: BlobStores): Promise<Restored> => {
        if (await isFolder(path)) {
          const proof = await demandWhole(path, { signal: call.signal })
          return restoreFolder(to, { dir: path, proof, stores }, options)
        }
        const sources = chain.map(file => archiveSource(call, file))
        return restoreSite(to, archiveParts(sources, [], { keys, stores }), options)
      }
      const drill = await rehearseBackup({ url: database.url, site: config.site }, site, {
        scratchFolder: join(config.dataFolder, 'drill'),
        allowUnsafe: config.unsafeDatabaseAllowed,
        now: site.now(),
        random: () => randomInt(RANDOM_STEPS) / RANDOM_STEPS,
        ...{ load, signal: call.signal },
      })
      return outcomeOf({ chain, path, at: site.now() }, drill)
    }),
  )
}

function outcomeOf(
  { chain, path, at }: { chain: readonly string[]; path: string; at: string },
  drill: Drill,
): Outcome {
  const behind = chain.length > 1 ? `, behind ${chain.length - 1} that it continues,` : ''
  const text = [
    `${path}${behind} can be loaded: ${counted(drill.events, 'event')} in ${drill.seconds} s, up to position ${drill.position}.`,
    `  proved: the chain of the log, ${counted(drill.projections, 'projection')} built and proved, ${counted(drill.reads, 'page')} as of some time read from both`,
  ].join('\n')
  return { text, data: { backup: path, parts: chain.length, at, ...drill } as unknown as Json }
}

function identitiesOf({ backupIdentity }: Config): Identity[] {
  return backupIdentity === '' ? [] : parseIdentities(backupIdentity)
}

function isNone({ identities, passphrase }: Keys): boolean {
  return identities.length === 0 && passphrase === null
}

/** What is to be loaded, one behind the other: an increment is found with all that it continues, in the folder that it is in. */
async function chainFor(call: Call, config: Config): Promise<string[]> {
  const given = call.findArgument('BACKUP')
  const path = given === null ? null : resolve(call.terminal.cwd, given)
  const shelf = path === null ? config.backupsFolder : dirname(path)
  if (path !== null && (await isFolder(path))) return [path]
  const { backups } = await readShelf(shelf)
  const backup =
    path === null
      ? newestOf(backups, shelf, config.site)
      : backups.find(({ name }) => name === basename(path))
  const chain = backup && chainOf(backups, backup)
  return chain ? chain.map(({ name }) => join(shelf, name)) : [path as string]
}

function newestOf(backups: readonly ShelvedBackup[], shelf: string, site: string): ShelvedBackup {
  const newest = backups.find(
    it => it.site === site && it.path === null && it.contents === 'history',
  )
  if (newest) return newest
  throw new Rm3Error('SOURCE_NOT_FOUND', `there is no whole backup of ${site} in ${shelf}`, {
    shelf,
  })
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false
}
