import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Rm3Error } from '../../errors.ts'

/** The account of the operating system that PostgreSQL runs as, when that is not our own. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const CANDIDATES = ['postgres', 'nobody']
const TRAVERSE = 0o1
const ROOT_FOLDER = '/'

/**
 * Whom PostgreSQL runs as: null = whoever runs us, but never root, which it refuses.
 *
 * @throws DATABASE_NOT_FOUND when we are root and no account is there to take its place
 */
export function serverAccount(): Account | null {
  if (process.getuid?.() !== 0) return null
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n').map(parseAccount)
  for (const name of CANDIDATES) {
    const account = accounts.find(candidate => candidate.name === name && candidate.uid > 0)
    if (account) return account
  }
  throw new Rm3Error(
    'DATABASE_NOT_FOUND',
    'PostgreSQL does not run as root, and there is neither an account "postgres" nor "nobody": run rm3 as another user.',
  )
}

/** The nearest folder from `path` upwards, itself included, that `account` may not enter; null when it may enter all. */
export function findBarrier(path: string, account: Account | null): string | null {
  if (account === null) return null
  let barrier: string | null = null
  for (let folder = path; ; folder = dirname(folder)) {
    if (!mayEnter(folder, account)) barrier = folder
    if (folder === ROOT_FOLDER || folder === dirname(folder)) return barrier
  }
}

function mayEnter(folder: string, account: Account): boolean {
  const stat = statSync(folder, { throwIfNoEntry: false })
  if (stat === undefined) return true
  const shift = stat.uid === account.uid ? 6 : stat.gid === account.gid ? 3 : 0
  return ((stat.mode >> shift) & TRAVERSE) !== 0
}

function parseAccount(line: string): Account {
  const [name = '', , uid, gid] = line.split(':')
  return { name, uid: Number(uid), gid: Number(gid) }
}
