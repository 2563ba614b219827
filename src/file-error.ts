import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { Rm3Error } from './errors.ts'

const FULL = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** What the operator can do about what the file system says. */
const ADVICE: Readonly<Record<string, string>> = {
  EIO: 'the disk, or the way to it, fails: see what the log of the system says, and use another one',
  ESTALE: 'the folder has gone from the server that it is on: mount it again',
  EISDIR: 'a folder is where a file should be',
  ELOOP: 'it is a link that leads back to itself',
  ENODEV: 'the disk has gone: mount it again',
  EROFS: 'the file system can only be read: mount it for writing, or name another place',
  EACCES: 'the user that rm3 runs as may not: give it the right, or name another place',
  EPERM: 'the user that rm3 runs as may not: give it the right, or name another place',
  EMFILE: 'too many files are open: allow more (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
}

/**
 * An error of the file system as one that a person can act on: `DISK_FULL` with how much room is left, or `FILE_FAILED` with the file and what
 * to do. What is none of those, and what is one of ours already, comes back as it is.
 *
 * @param path the file, where the system does not say it: it knows paths, not what an open file was called
 */
export function fileError(thrown: unknown, path?: string): unknown {
  if (!(thrown instanceof Error) || thrown instanceof Rm3Error || !('code' in thrown)) return thrown
  const { code, message } = thrown as NodeJS.ErrnoException
  const { path: told = path ?? 'a file' } = thrown as NodeJS.ErrnoException
  if (FULL.has(code)) {
    const text = `there is no space left for ${told}${roomAt(told)}`
    return new Rm3Error('DISK_FULL', text, { path: told, cause: thrown })
  }
  const advice = ADVICE[code ?? '']
  if (advice === undefined) return thrown
  // "EIO: i/o error, write"
  const [said = code] = message.split(',')
  return new Rm3Error('FILE_FAILED', `${told}: ${said}; ${advice}`, { path: told, cause: thrown })
}

/** How much room is left in the folder of a file; '' when that cannot be told. */
function roomAt(path: string): string {
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return `: ${((bavail * bsize) / 1024 / 1024).toFixed(1)} MB are free there`
  } catch {
    return ''
  }
}
