import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { Rm3Error } from '../errors.ts'
import { fileError } from '../file-error.ts'
import { isProcessAlive } from '../pg/managed/processes.ts'

/** In a folder of backups it says who makes or removes some just now. */
export const LOCK = 'rm3.lock'

const BEAT_MS = 60_000
/** Whoever has not been heard of for so long is not at work any more, on whatever machine that is. */
const STALE_MS = 30 * BEAT_MS
/** Locks that this process has: another one with its number, before the machine began anew, had others. */
const held = new Set<string>()

interface Owner {
  readonly pid: number
  readonly host: string
  readonly token: string
}

/**
 * Does something on a shelf of backups that nobody else may do meanwhile. What a process that has died left locked is taken over: at once when
 * that was on this machine, after half an hour else.
 *
 * @throws TARGET_IN_USE, SOURCE_NOT_FOUND, DISK_FULL, FILE_FAILED, what `work` throws
 */
export async function withShelf<Result>(dir: string, work: () => Promise<Result>): Promise<Result> {
  const path = join(dir, LOCK)
  const owner: Owner = { pid: process.pid, host: hostname(), token: randomUUID() }
  held.add(owner.token)
  const beat = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {}) // one that cannot be renewed goes stale, no more
  }, BEAT_MS).unref()
  try {
    await lock(path, owner)
    return await work().finally(() => unlock(path, owner))
  } finally {
    clearInterval(beat)
    held.delete(owner.token)
  }
}

async function lock(path: string, owner: Owner): Promise<void> {
  if (await isMade(path, owner)) return
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text !== null && !(await isStale(path, text))) throw inUse(path, ownerIn(text))
  if (text !== null) await takeAway(path, text)
  if (await isMade(path, owner)) return
  throw inUse(path, null)
}

async function isMade(path: string, owner: Owner): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(owner), { mode: 0o600, flag: 'wx' })
    return true
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw fileError(thrown, path)
    const message = `the folder of backups ${dirname(path)} is not there`
    throw new Rm3Error('SOURCE_NOT_FOUND', message, { path, cause: thrown })
  }
}

async function isStale(path: string, text: string): Promise<boolean> {
  const { mtimeMs = Date.now() } = (await stat(path).catch(() => null)) ?? {}
  const silentMs = Date.now() - mtimeMs
  const owner = ownerIn(text)
  // it is empty for a moment when it is made
  if (owner === null) return silentMs > BEAT_MS
  if (silentMs > STALE_MS) return true
  if (owner.host !== hostname()) return false
  return owner.pid === process.pid ? !held.has(owner.token) : !isProcessAlive(owner.pid)
}

/** Of several who find it stale one takes it away: the others may be late, and take one that is not. */
async function takeAway(path: string, stale: string): Promise<void> {
  const taking = `${path}.taking`
  try {
    await mkdir(taking, { mode: 0o700 })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError(thrown, taking)
    const { mtimeMs = Date.now() } = (await stat(taking).catch(() => null)) ?? {}
    // who died in the middle of it holds up the next one only
    if (Date.now() - mtimeMs > BEAT_MS) await rmdir(taking).catch(() => {})
    throw inUse(path, null)
  }
  try {
    if ((await readFile(path, 'utf8').catch(() => null)) === stale) await rm(path, { force: true })
  } catch (thrown) {
    throw fileError(thrown, path)
  } finally {
    await rmdir(taking).catch(() => {})
  }
}

/** One that cannot be removed is stale from now on. */
async function unlock(path: string, { token }: Owner): Promise<void> {
  held.delete(token)
  const text = await readFile(path, 'utf8').catch(() => '')
  if (ownerIn(text)?.token === token) await rm(path, { force: true }).catch(() => {})
}

function ownerIn(text: string): Owner | null {
  try {
    const { pid, host, token } = (JSON.parse(text) ?? {}) as Partial<Record<keyof Owner, unknown>>
    const isOwner = typeof pid === 'number' && typeof host === 'string' && typeof token === 'string'
    return isOwner ? { pid, host, token } : null
  } catch {
    return null
  }
}

function inUse(path: string, owner: Owner | null): Rm3Error {
  const who = owner === null ? 'another process' : `the process ${owner.pid} on ${owner.host}`
  const message = `${who} makes or removes backups there just now (${path}): try again when it has ended`
  return new Rm3Error('TARGET_IN_USE', message, { path })
}
