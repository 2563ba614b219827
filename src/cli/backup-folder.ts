import { type FolderBackup, writeBackupFolder } from '../backup/folder/write.ts'
import { parsePath } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import { counted, sizeInWords } from '../scheme/words.ts'
import { positionAt } from './backup-position.ts'
import type { Call, Option, Outcome } from './command.ts'
import { openStores, withDatabase, withSiteOf } from './open.ts'
import { version } from './program.ts'
import { withSteps } from './steps.ts'

/** Options of a backup into a folder. */
export const FOLDER_OPTIONS: Readonly<Record<string, Option>> = {
  path: { short: 'p', value: 'PATH', summary: 'only the pages at and below it' },
  snapshot: { summary: 'only the present: no history, nothing that was deleted' },
  at: {
    value: 'WHEN',
    summary: 'as of position:N, an instant such as 2026-02-03T04:05:06Z or a date',
  },
  concurrency: { short: 'c', value: 'N', summary: 'files copied at once, 1 to 64 (4)' },
  resume: { summary: 'goes on with a backup into DIR that was interrupted' },
  'allow-incomplete': { summary: 'lists files whose bytes are missing instead of failing' },
}

const CONCURRENCY_MAX = 64

/** Backs the site up into a folder. @throws as `writeBackupFolder`, AT_INVALID, PATH_INVALID */
export async function backupFolder(call: Call, dir: string): Promise<Outcome> {
  const path = call.option('path')
  const concurrency = concurrencyOf(call)
  const started = Date.now()
  const backup = await withDatabase(call, (database, config) =>
    withSiteOf(call, database, config, async site => {
      const source = { url: database.url, site: config.site, stores: await openStores(config) }
      const position = await positionAt(site.db, call.option('at'))
      return withSteps(call, onProgress =>
        writeBackupFolder(source, {
          ...{ dir, position, concurrency, onProgress, signal: call.signal },
          path: path === null ? undefined : parsePath(path),
          snapshot: call.flag('snapshot'),
          resume: call.flag('resume'),
          allowIncomplete: call.flag('allow-incomplete'),
          program: `rm3 ${version()}`,
        }),
      )
    }),
  )
  return outcomeOf(backup, Date.now() - started)
}

function concurrencyOf(call: Call): number {
  const text = call.option('concurrency') ?? '4'
  const number = Number(text)
  if (/^\d{1,2}$/.test(text) && number >= 1 && number <= CONCURRENCY_MAX) return number
  throw new Rm3Error('USAGE', `-c takes a number from 1 to ${CONCURRENCY_MAX}, not "${text}"`)
}

function outcomeOf({ dir, head, counts, missingBlobs }: FolderBackup, ms: number): Outcome {
  const { position, chain, recordedAt, contents, path } = head
  const text = [
    `Wrote ${dir}${contents === 'snapshot' ? ', without history' : ''}${path === null ? '' : `, only ${path}`}.`,
    `  ${counted(counts.entities, 'entity', 'entities')} (${counts.live} live, ${counts.drafts} never published, ${counts.deleted} deleted), ${counted(counts.events, 'event')}`,
    `  ${counted(counts.grants, 'grant')}, ${counted(counts.roles, 'role')} of users, ${counted(counts.credentials, 'credential')}, ${counted(counts.settings, 'setting')}, ${counted(counts.scheduled, 'publication')} ahead`,
    `  ${counted(counts.blobs, 'file')} with ${sizeInWords(counts.blobBytes)}`,
    ...(missingBlobs.length > 0
      ? [`  INCOMPLETE: ${counted(missingBlobs.length, 'file')} missing`]
      : []),
    `  position ${position}, chain ${chain}`,
  ].join('\n')
  const data = { dir, position, chain, recordedAt, contents, path, counts: { ...counts } }
  return { text, data: { ...data, missingBlobs: [...missingBlobs], ms } }
}
