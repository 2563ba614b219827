import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Rm3Error } from '../../errors.ts'
import type { Account } from './account.ts'
import { type Binaries, binariesEnvironment } from './binaries.ts'
import { giveTo, type Place, removeFolder } from './place.ts'
import { isProcessAlive } from './processes.ts'
import type { ManagedMode } from './settings.ts'

const INITDB_TIMEOUT_MS = 120_000
const OUTPUT_CHARACTERS_MAX = 4_000

/** The major version of PostgreSQL that made the data in `place`; null when there are none yet. */
export function majorOfData(place: Place): number | null {
  const file = join(place.dataFolder, 'PG_VERSION')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : null
}

/**
 * Makes the data folder by initdb: aside, then renamed, so that it is whole or not there, also after a kill and when
 * two processes do it at once (the later one takes what the first has made).
 *
 * @throws DISK_FULL, DATABASE_NOT_FOUND
 */
export async function initialise(
  place: Place,
  binaries: Binaries,
  account: Account | null,
  mode: ManagedMode,
): Promise<void> {
  removeLeftovers(place)
  const aside = join(place.folder, `new-${process.pid}`)
  mkdirSync(aside, { mode: 0o700 })
  giveTo(account, aside)
  try {
    await runInitdb(aside, binaries, account, mode)
    renameSync(aside, place.dataFolder)
  } catch (thrown) {
    removeFolder(aside)
    if (majorOfData(place) === null) throw thrown
  }
}

async function runInitdb(
  folder: string,
  binaries: Binaries,
  account: Account | null,
  mode: ManagedMode,
): Promise<void> {
  const flags = ['--auth=trust', '--encoding=UTF8', '--locale=C', '--data-checksums']
  if (mode === 'throwaway') flags.push('--no-sync')
  const child = spawn(
    join(binaries.folder, 'initdb'),
    ['-D', folder, '-U', 'postgres', '--no-instructions', ...flags],
    {
      env: binariesEnvironment(binaries.libraryPath),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: INITDB_TIMEOUT_MS,
      cwd: folder,
      ...(account && { uid: account.uid, gid: account.gid }),
    },
  )
  let output = ''
  const keep = (text: Buffer) => {
    output = (output + text).slice(-OUTPUT_CHARACTERS_MAX)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw startError('The database could not be made', folder, output)
}

/** The error for a program of PostgreSQL that failed with `output`. */
export function startError(what: string, folder: string, output: string): Rm3Error {
  if (/No space left on device|could not (?:extend|write).*: wrote only/i.test(output)) {
    return new Rm3Error('DISK_FULL', `${what}: there is no space left in ${folder}.`, { folder })
  }
  const lines = output.trim().split('\n').slice(-5).join('\n  ')
  return new Rm3Error('DATABASE_NOT_FOUND', `${what} in ${folder}:\n  ${lines}`, { folder })
}

function removeLeftovers(place: Place): void {
  for (const name of readdirSync(place.folder)) {
    const pid = Number(name.match(/^new-(\d+)$/)?.[1] ?? 0)
    const isLeft = pid > 0 && (pid === process.pid || !isProcessAlive(pid))
    if (isLeft) removeFolder(join(place.folder, name))
  }
}
