import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { writeWhole } from '../backup/archive/file.ts'
import { type VerifiedArchive, verifyArchive } from '../backup/archive/verify.ts'
import { type ArchiveSummary, writeArchive } from '../backup/archive/write.ts'
import type { Json } from '../codec/json.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { counted, sizeInWords } from '../scheme/words.ts'
import { aheadLines } from './ahead-lines.ts'
import { encryptionOf, keysOf } from './archive-keys.ts'
import { archiveSource } from './archive-source.ts'
import { positionAt } from './backup-position.ts'
import type { Call, Outcome } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { openStores, withDatabase, withSiteOf } from './open.ts'
import { version } from './program.ts'
import { withSteps } from './steps.ts'

/** Writes an archive into a file, or to stdout. @throws TARGET_EXISTS, LOG_DAMAGED, BLOB_MISSING, DISK_FULL, AT_INVALID */
export async function backupArchive(call: Call, file: string): Promise<Outcome | null> {
  const since = sinceOf(call)
  const encryption = await encryptionOf(call)
  const { stdout } = call.terminal
  if (file === '-' && stdout.isTTY) {
    throw new Rm3Error(
      'USAGE',
      'an archive is nothing to be read on a terminal: send it to a program or a file',
    )
  }
  const write = (out: Writable) =>
    withDatabase(call, (database, config) =>
      withSiteOf(call, database, config, async site => {
        const until = await positionAt(site.db, call.option('at'))
        const from = {
          database: { url: database.url, site: config.site },
          blobs: await openStores(config),
        }
        return withSteps(call, onProgress =>
          writeArchive(from, {
            ...{
              out,
              since,
              until,
              encryption,
              onProgress,
              signal: call.signal,
              program: version(),
            },
            allowIncomplete: call.flag('allow-incomplete'),
          }),
        )
      }),
    )
  if (file !== '-') {
    const summary = await writeWhole(resolve(call.terminal.cwd, file), write)
    return outcomeOf(summary, { file, did: 'Saved' })
  }
  // the archive is what stands on stdout
  call.say(outcomeOf(await write(stdout), { file: 'stdout', did: 'Saved' }).text)
  return null
}

function sinceOf(call: Call): number | undefined {
  const text = call.option('since')
  if (text === null) return undefined
  const position = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(position)) return position
  throw new Rm3Error('USAGE', `--since takes a position of the log, not "${text}"`)
}

function outcomeOf(
  summary: ArchiveSummary | VerifiedArchive,
  { file, did }: { file: string; did: string },
): Outcome {
  const { parent, head, events, blobs, blobBytes, missingBlobs, secrets, run, sizeBytes } = summary
  const data = {
    ...{ ok: true, file, parent: { ...parent }, head: { ...head }, events },
    ...{ blobs, blobBytes, missingBlobs, secrets, run: { ...run }, sizeBytes },
  }
  const range = parent.position === 0 ? 'the whole log' : `what came behind ${parent.position}`
  const lines = [
    `${did} ${file}: ${range} up to position ${head.position}, in ${sizeInWords(sizeBytes)}.`,
    `  ${counted(events, 'event')}, ${counted(blobs, 'file')} with ${sizeInWords(blobBytes)}, ${counted(secrets, 'secret')}`,
    `  chain ${head.chain}`,
    ...aheadLines(head.recordedAt, Date.now()),
    ...(missingBlobs > 0
      ? [`  ${counted(missingBlobs, 'file')} missing: the bytes were not there`]
      : []),
  ]
  return { text: lines.join('\n'), data }
}

/** Proves an archive. @returns exit code 13 with the place of the damage @throws SOURCE_NOT_FOUND, WRONG_KEY, BACKUP_NEWER */
export async function verifyArchiveFile(call: Call, file: string): Promise<Outcome> {
  const source = archiveSource(call, file)
  const keys = await keysOf(call)
  const { bytes, close } = await source.open()
  try {
    const verified = await withSteps(call, onProgress =>
      verifyArchive(bytes, keys, {
        signal: call.signal,
        onProgress: done => onProgress('bytes', done, 0),
      }),
    )
    return outcomeOf(verified, { file: source.name, did: 'Whole:' })
  } catch (thrown) {
    if (!isRm3Error(thrown, 'BACKUP_DAMAGED')) throw thrown
    const text = `${source.name}: ${thrown.message}`
    const data = { ok: false, file: source.name, damage: thrown.message, ...thrown.details }
    return { text, data: data as Json, exitCode: EXIT.verificationFailed }
  } finally {
    await close()
  }
}
