import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const PID_FILE_BYTES_MAX = 100
/** Above the highest that Linux gives out, 2^22. */
const PID_OF_NOBODY = 4_194_305

/** Whether a process of that id runs, whoever's it is. One that has ended but was not collected does not. */
export function isProcessAlive(pid: number): boolean {
  return exists(pid) && !isZombie(pid)
}

/**
 * Lets a server start although the file says that one runs, when that process id now belongs to another program, or to
 * a dead one that nobody collects: both are usual in containers. The server's own test of its shared memory stays.
 */
export function releaseStalePidFile(dataFolder: string): void {
  const pid = readServerPid(dataFolder)
  if (process.platform !== 'linux' || pid === null || !exists(pid)) return
  if (!isZombie(pid) && readProc(pid, 'cmdline').includes('postgres')) return
  const file = join(dataFolder, 'postmaster.pid')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, String(PID_OF_NOBODY)))
}

/** Sends a signal; a process that has ended meanwhile is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown
  }
}

/** The process id of the server that last ran on the data folder; null when it ended as it should. */
export function readServerPid(dataFolder: string): number | null {
  const bytes = Buffer.alloc(PID_FILE_BYTES_MAX)
  try {
    const file = openSync(join(dataFolder, 'postmaster.pid'), 'r')
    const length = readSync(file, bytes)
    closeSync(file)
    const pid = Number.parseInt(bytes.toString('utf8', 0, length), 10)
    return pid > 0 ? pid : null
  } catch {
    return null
  }
}

function exists(pid: number): boolean {
  if (pid <= 0) return false // these are groups of processes, our own among them
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM'
  }
}

function isZombie(pid: number): boolean {
  return process.platform === 'linux' && /\) [ZX] /.test(readProc(pid, 'stat'))
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Waits until `isSo`, looking every `everyMs`; false when that has not come within `deadlineMs`. */
export async function waitUntil(
  isSo: () => boolean | Promise<boolean>,
  everyMs: number,
  deadlineMs: number,
): Promise<boolean> {
  for (const until = Date.now() + deadlineMs; ; await sleep(everyMs)) {
    if (await isSo()) return true
    if (Date.now() >= until) return false
  }
}
