/** The throw-away PostgreSQL of a test run. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isProcessAlive } from '../../dist/src/pg/managed/processes.js'
import { startManagedPostgres } from '../../dist/src/pg/managed/start.js'
import { say } from './fail.mjs'

const PREFIX = 'rm3-test-'

/** @returns its `url` and `stop()`, which leaves nothing behind; a kill leaves a folder, which the next run removes */
export async function startDatabase() {
  removeLeftovers()
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
  chmodSync(folder, 0o755)
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    const postgres = await startManagedPostgres({
      dataDir: join(folder, 'pg'),
      mode: 'throwaway',
      log: say,
    })
    return { url: postgres.url, stop: () => postgres.stop().finally(remove) }
  } catch (thrown) {
    remove()
    say(thrown.message)
    console.log('0 passed, 1 failed')
    process.exit(1)
  }
}

function removeLeftovers() {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(name.match(/^rm3-test-(\d+)-/)?.[1] ?? 0)
    if (pid > 0 && !isProcessAlive(pid)) {
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
    }
  }
}
