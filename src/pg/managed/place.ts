import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Rm3Error } from '../../errors.ts'
import { type Account, findBarrier } from './account.ts'

/** Where a managed PostgreSQL keeps its things. Absolute, without symbolic links. */
export interface Place {
  readonly folder: string
  /** PGDATA */
  readonly dataFolder: string
  readonly socketFolder: string
  readonly logFile: string
}

/** Where root's data and binaries go when the account of the server cannot reach where they should be. */
export const SHARED_FOLDER = '/var/lib/rm3'
/** The system's limit is 107, on macOS 103, with the socket's own name. */
const SOCKET_PATH_BYTES_MAX = 100
const SOCKET_NAME_BYTES = '/.s.PGSQL.5432'.length

/**
 * Makes the folders under `dataDir`, owned by `account` and closed to all others. When the account cannot reach
 * `dataDir`, that becomes a symbolic link to a folder of its own in SHARED_FOLDER.
 *
 * @param tell says where things are when that is not where they were asked for
 * @throws DATABASE_NOT_FOUND when a folder that exists cannot be used
 */
export function preparePlace(
  dataDir: string,
  account: Account | null,
  tell: (line: string) => void,
): Place {
  const folder = reachableFolder(resolve(dataDir), account, tell)
  giveTo(account, folder)
  const place: Place = {
    folder,
    dataFolder: join(folder, 'data'),
    socketFolder: socketFolderOf(folder, account),
    logFile: join(folder, 'postgresql.log'),
  }
  makeOwnFolder(place.socketFolder, account)
  return place
}

function reachableFolder(
  dataDir: string,
  account: Account | null,
  tell: (line: string) => void,
): string {
  const there = lstatSync(dataDir, { throwIfNoEntry: false })
  if (there) return usable(dataDir, account)
  mkdirSync(dirname(dataDir), { recursive: true })
  const parent = realpathSync(dirname(dataDir))
  const barrier = findBarrier(parent, account)
  if (barrier === null) {
    mkdirSync(dataDir, { mode: 0o700 })
    return realpathSync(dataDir)
  }
  mkdirSync(SHARED_FOLDER, { recursive: true, mode: 0o755 })
  const folder = mkdtempSync(join(SHARED_FOLDER, 'site-'))
  symlinkSync(folder, dataDir)
  tell(
    `The database goes to ${folder}: PostgreSQL runs as ${account?.name}, who may not enter ${barrier}.`,
  )
  return folder
}

function usable(dataDir: string, account: Account | null): string {
  let folder: string
  try {
    folder = realpathSync(dataDir)
  } catch (cause) {
    throw new Rm3Error(
      'DATABASE_NOT_FOUND',
      `${dataDir} is a link to a folder that is not there: put the database back, or remove the link to begin anew.`,
      { cause },
    )
  }
  const barrier = findBarrier(dirname(folder), account)
  if (barrier === null) return folder
  throw new Rm3Error(
    'DATABASE_NOT_FOUND',
    `The database is in ${folder}, but PostgreSQL runs as ${account?.name}, who may not enter ${barrier}: chmod o+x it, or run rm3 as its owner.`,
  )
}

/** Beside the data, or where that path is too long for a socket in a short folder that only we can have made. */
function socketFolderOf(folder: string, account: Account | null): string {
  const beside = join(folder, 's')
  if (Buffer.byteLength(beside) + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES_MAX) return beside
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  return `/tmp/rm3-${account?.uid ?? process.getuid?.() ?? 0}-${name}`
}

function makeOwnFolder(folder: string, account: Account | null): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stat = lstatSync(folder)
  const owners = [process.getuid?.(), account?.uid]
  if (!stat.isDirectory() || !owners.includes(stat.uid)) {
    throw new Rm3Error('DATABASE_NOT_FOUND', `${folder} belongs to somebody else: remove it.`)
  }
  chmodSync(folder, 0o700)
  giveTo(account, folder)
}

/** Makes `folder` the account's own. */
export function giveTo(account: Account | null, folder: string): void {
  if (account) chownSync(folder, account.uid, account.gid)
}

/** Removes a folder and all in it; one that is not there is fine. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}
