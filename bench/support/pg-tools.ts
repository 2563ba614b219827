import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * Runs a program of PostgreSQL's.
 *
 * @returns the seconds that it took; null, with the reason told, when there is none here or it is of another version than the server
 */
export async function timed(
  program: 'pg_dump' | 'pg_restore',
  args: readonly string[],
  say: (text: string) => void,
): Promise<number | null> {
  const start = performance.now()
  try {
    await promisify(execFile)(program, [...args])
    return (performance.now() - start) / 1000
  } catch (thrown) {
    say(
      `not held against ${program}: ${String((thrown as Error).message)
        .split('\n')
        .slice(0, 2)
        .join(' ')}`,
    )
    return null
  }
}
