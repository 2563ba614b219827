import { lstat, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { Rm3Error } from '../../errors.ts'
import { fileError } from '../../file-error.ts'
import { isProcessAlive } from '../../pg/managed/processes.ts'
import { CATALOG, CATALOG_PARTIAL } from './format.ts'

/** A folder on its way: `DIR.partial`, which becomes `DIR` when all of it is on disk. */
export interface Target {
  readonly dir: string
  readonly partial: string
}

/** Says in `DIR.partial` who writes there. */
export const WRITER = 'writer.json.partial'

/**
 * Makes `DIR.partial`, or with `resume` takes the one that is there. Of several who try at the same time one succeeds.
 *
 * @throws TARGET_EXISTS, TARGET_IN_USE, SOURCE_NOT_FOUND when the folder that `dir` shall be in is not there, DISK_FULL
 */
export async function openTarget(dir: string, resume: boolean): Promise<Target> {
  const whole = resolve(dir)
  const target = { dir: whole, partial: `${whole}.partial` }
  await demandFree(target)
  if (resume) await demandLeft(target)
  else await makePartial(target)
  try {
    // another one may have come to its end since
    await demandFree(target)
    const writer = JSON.stringify({ pid: process.pid, host: hostname() })
    await writeFile(join(target.partial, WRITER), writer, { mode: 0o600 })
  } catch (thrown) {
    if (!resume) await rm(target.partial, { recursive: true, force: true })
    throw fileError(thrown, target.partial)
  }
  return target
}

/** Gives the folder its name. Everything in it must be on disk. @throws TARGET_EXISTS, DISK_FULL */
export async function finishTarget(target: Target): Promise<void> {
  const { dir, partial } = target
  await rm(join(partial, WRITER), { force: true })
  await syncFolder(partial)
  await demandFree(target)
  await rename(partial, dir).catch(thrown => {
    throw fileError(thrown, dir)
  })
  await syncFolder(dirname(dir))
}

/** Takes back what `openTarget` made. */
export async function dropTarget({ partial }: Target): Promise<void> {
  await rm(partial, { recursive: true, force: true })
}

/** Puts the names of a folder on disk. @throws DISK_FULL */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (thrown) {
    throw fileError(thrown, folder)
  } finally {
    await handle.close()
  }
}

async function demandFree({ dir }: Target): Promise<void> {
  const found = await lstat(dir).catch(() => null)
  if (found === null) return
  throw new Rm3Error('TARGET_EXISTS', `${dir} is there already; name a folder that is not`, { dir })
}

async function makePartial({ dir, partial }: Target): Promise<void> {
  try {
    await mkdir(partial, { mode: 0o700 })
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const message = `the folder ${dirname(dir)} that ${basename(dir)} shall be in is not there`
      throw new Rm3Error('SOURCE_NOT_FOUND', message, { dir, cause: thrown })
    }
    if (code !== 'EEXIST') throw fileError(thrown, partial)
    const message = `${partial} is there: a backup under way, or one that was interrupted; --resume goes on with it, or remove it`
    throw new Rm3Error('TARGET_EXISTS', message, { dir: partial, cause: thrown })
  }
}

async function demandLeft({ partial }: Target): Promise<void> {
  const found = await lstat(partial).catch(() => null)
  if (!found?.isDirectory()) {
    const message = `there is no interrupted backup ${partial} to go on with`
    throw new Rm3Error('SOURCE_NOT_FOUND', message, { dir: partial })
  }
  const writer = await writerOf(partial)
  if (writer === null || writer.host !== hostname() || writer.pid === process.pid) return
  if (!isProcessAlive(writer.pid)) return
  const message = `the process ${writer.pid} is writing ${partial} just now`
  throw new Rm3Error('TARGET_IN_USE', message, { pid: writer.pid })
}

async function writerOf(partial: string): Promise<{ pid: number; host: string } | null> {
  const text = await readFile(join(partial, WRITER), 'utf8').catch(() => 'null')
  try {
    const value = JSON.parse(text) as { pid?: unknown; host?: unknown } | null
    const { pid, host } = value ?? {}
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : null
  } catch {
    return null // the process was killed while it wrote this
  }
}

/** The catalog of the interrupted backup, as far as it came; null when it had not come so far. */
export async function readLeft({ partial }: Target): Promise<string | null> {
  for (const name of [CATALOG_PARTIAL, CATALOG]) {
    const text = await readFile(join(partial, name), 'utf8').catch(() => null)
    if (text !== null) return text
  }
  return null
}
