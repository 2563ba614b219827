import { readFile } from 'node:fs/promises'
import { getPriority, setPriority } from 'node:os'
import { type Db, one } from './db.ts'

/**
 * Gives the server's process of a connection the priority of this one, where that is lower than usual, the server is on this machine and the system
 * allows it: what this process leaves to others, the other would take from them. Does nothing else.
 *
 * @param host of the connection; a path is a socket
 * @throws UNAVAILABLE
 */
export async function sharePriority(db: Db, host: string): Promise<void> {
  const priority = getPriority()
  if (priority <= 0 || !host.startsWith('/')) return
  const { pid, user, database } = await one<Process>(db, PROCESS)
  const title = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
  // seen from a container the number may be that of another process
  if (!title.startsWith('postgres: ') || !title.includes(`${user} ${database} `)) return
  try {
    setPriority(pid, priority)
  } catch {
    // it is another account's
  }
}

interface Process {
  readonly pid: number
  readonly user: string
  readonly database: string
}

const PROCESS =
  'select pg_backend_pid() as pid, current_user::text as user, current_database()::text as database'
