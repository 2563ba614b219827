import { readdir, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type BlobStores, openBlob } from '../../blobs/store.ts'
import { isRm3Error } from '../../errors.ts'
import { readHead } from '../../log/read.ts'
import type { Db } from '../../pg/db.ts'
import { finishTarget, openTarget, WRITER } from '../folder/target.ts'
import { FastImport } from './fast-import.ts'
import { type GitCall, runGit, startGit } from './run.ts'
import { toldCommits } from './told-commits.ts'

/** Where a site's history goes, and how. */
export interface GitBackup {
  /** Folder of the repository, which must not exist. */
  readonly dir: string
  readonly signal?: AbortSignal | undefined
  /** Told the positions of the log that were read. */
  readonly onProgress?: (done: number, total: number) => void
}

/** What was written. */
export interface GitWritten {
  readonly dir: string
  readonly position: number
  readonly commits: number
  /** The last commit; null for a site that never showed anything. */
  readonly commit: string | null
}

const BRANCH = 'main'

/**
 * Writes what readers could see of a site, with its whole history, as a git repository with a work tree. It has its name only when it is
 * complete; the same history has the same commits every time.
 *
 * @throws TARGET_EXISTS, PROGRAM_MISSING, BLOB_MISSING, DISK_FULL
 */
export async function writeGit(db: Db, blobs: BlobStores, backup: GitBackup): Promise<GitWritten> {
  await removeLeft(backup.dir)
  const target = await openTarget(backup.dir, false)
  const { position } = await readHead(db)
  try {
    const call = { signal: backup.signal }
    const { partial, dir } = target
    await runGit(['init', '--quiet', '--template=', `--initial-branch=${BRANCH}`, partial], call)
    const commits = await importCommits({ db, blobs, partial, position, backup })
    if (commits > 0) await runGit([...inside(partial), 'reset', '--quiet', '--hard', BRANCH], call)
    const commit = commits > 0 ? await headOf(partial, call) : null
    await finishTarget(target)
    return { dir, position, commits, commit }
  } catch (thrown) {
    await rm(target.partial, { recursive: true, force: true })
    backup.signal?.throwIfAborted()
    throw isRm3Error(thrown, 'SOURCE_DAMAGED')
      ? new Error(thrown.message, { cause: thrown })
      : thrown
  }
}

interface Work {
  readonly db: Db
  readonly blobs: BlobStores
  readonly partial: string
  readonly position: number
  readonly backup: GitBackup
}

async function importCommits({ db, blobs, partial, position, backup }: Work): Promise<number> {
  const { signal, onProgress = () => {} } = backup
  const git = startGit([...inside(partial), 'fast-import', '--quiet', '--done'], { signal })
  git.stdout.resume()
  const writer = new FastImport(git.stdin, `refs/heads/${BRANCH}`, ({ category, sha256 }) =>
    openBlob(blobs[category], sha256),
  )
  const work = async () => {
    for await (const commit of toldCommits(db, position)) {
      signal?.throwIfAborted()
      await writer.write(commit)
      onProgress(commit.told.position, position)
    }
    git.stdin.end('done\n')
  }
  try {
    await Promise.race([work(), git.ended]) // nothing drains the pipe of a git that has ended
    await git.ended
  } finally {
    git.kill()
  }
  return writer.commits
}

/** What is written stays written, and as it is. */
function inside(folder: string): string[] {
  return ['-C', folder, '-c', 'core.fsync=all', '-c', 'core.autocrlf=false']
}

async function headOf(folder: string, call: GitCall): Promise<string> {
  const printed = await runGit(['-C', folder, 'rev-parse', BRANCH], call)
  return printed.toString('latin1').trim()
}

/** Removes what a killed run has left of the same: git cannot go on with it. @throws TARGET_IN_USE when one still writes */
async function removeLeft(dir: string): Promise<void> {
  const partial = `${resolve(dir)}.partial`
  const names = await readdir(partial).catch(() => null)
  const isOurs = names?.includes('.git') || names?.every(name => name === WRITER)
  if (!isOurs) return
  await openTarget(dir, true)
  await rm(partial, { recursive: true, force: true })
}
