import { type FileHandle, link, lstat, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Writable } from 'node:stream'
import { Rm3Error } from '../../errors.ts'
import { fileError } from '../../file-error.ts'
import { syncFolder } from '../folder/target.ts'

/** Places at which a test may kill the process. */
export type FilePoint = 'opened' | 'written' | 'synced' | 'linked' | 'kept'

/**
 * Writes a file that is there whole or not at all: as `FILE.partial`, on disk before it gets its name. What an earlier run left behind under
 * that name is replaced; two runs at once do not both win.
 *
 * @throws TARGET_EXISTS when there is anything at `path`; DISK_FULL; what `write` throws, and then there is no file
 */
export async function writeWhole<Result>(
  path: string,
  write: (out: Writable) => Promise<Result>,
  reached: (point: FilePoint) => void = () => {},
): Promise<Result> {
  await demandFree(path)
  const partial = `${path}.partial`
  const file = await openPartial(partial)
  try {
    reached('opened')
    const result = await write(streamTo(file, partial))
    reached('written')
    await file.sync()
    reached('synced')
    await giveName(file, partial, path)
    reached('linked')
    await syncFolder(dirname(path))
    reached('kept')
    return result
  } catch (thrown) {
    for (const name of [partial, path])
      if (await isOurs(file, name)) await rm(name, { force: true })
    throw fileError(thrown, partial)
  } finally {
    await file.close()
  }
}

function streamTo(file: FileHandle, path: string): Writable {
  return new Writable({
    write: (bytes: Buffer, _, done) => {
      file.writeFile(bytes).then(
        () => done(),
        thrown => done(fileError(thrown, path) as Error),
      )
    },
  })
}

async function demandFree(path: string): Promise<void> {
  const found = await lstat(path).catch(cause => {
    if (cause.code === 'ENOENT') return null
    throw cause
  })
  if (found !== null) throw taken(path)
}

function taken(path: string): Rm3Error {
  return new Rm3Error('TARGET_EXISTS', `${path} is there already; name a file that is not`, {
    path,
  })
}

async function openPartial(partial: string): Promise<FileHandle> {
  await rm(partial, { force: true })
  return open(partial, 'wx', 0o600).catch(cause => {
    if (cause.code === 'EEXIST') {
      throw new Rm3Error('TARGET_EXISTS', `${partial} is being written by another process`, {
        cause,
      })
    }
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') {
      throw new Rm3Error('SOURCE_NOT_FOUND', `there is no folder ${dirname(partial)}`, { cause })
    }
    throw fileError(cause, partial)
  })
}

/** A link, for it fails where a rename would replace what has come to be there meanwhile. */
async function giveName(file: FileHandle, partial: string, path: string): Promise<void> {
  if (!(await isOurs(file, partial))) throw replaced(partial)
  try {
    await link(partial, path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST') throw taken(path)
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw cause
    // a file system without links
    await demandFree(path)
    await rename(partial, path)
    return
  }
  if (!(await isOurs(file, path))) {
    await rm(path, { force: true })
    throw replaced(partial)
  }
  await rm(partial, { force: true })
}

function replaced(partial: string): Rm3Error {
  return new Rm3Error('TARGET_EXISTS', `another process has begun to write ${partial} meanwhile`)
}

async function isOurs(file: FileHandle, path: string): Promise<boolean> {
  const [own, there] = await Promise.all([file.stat(), stat(path).catch(() => null)])
  return own.ino === there?.ino && own.dev === there.dev
}
