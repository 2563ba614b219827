import { readFile } from 'node:fs/promises'
import { getPriority, setPriority } from 'node:os'
import type pg from 'pg'

/**
 * Gives the server's process of a connection the priority of this one, where that is lower than usual, the server is on this machine and the system
 * allows it: what this process leaves to others, the other would take from them. Does nothing else.
 */
export async function sharePriority(client: pg.Client): Promise<void> {
  const priority = getPriority()
  if (priority <= 0 || !client.host.startsWith('/')) return
  const { rows } = await client.query(
    'select pg_backend_pid() as pid, current_user as user, current_database() as database',
  )
  const { pid, user, database } = rows[0] as { pid: number; user: string; database: string }
  const title = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
  // seen from a container the number may be that of another process
  if (!title.startsWith('postgres: ') || !title.includes(`${user} ${database} `)) return
  try {
    setPriority(pid, priority)
  } catch {
    // it is another account's
  }
}
