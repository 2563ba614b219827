import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { PARSERS, type SettingValues } from './config-values.ts'
import { Rm3Error } from './errors.ts'
import { IGNORED_PREFIX, OLD_SETTINGS, SETTINGS, type SettingName } from './settings.ts'

/** The environment, checked: all that a process of rm3 is told from outside. Frozen; paths are absolute. */
export interface Config {
  /** null when a managed local PostgreSQL is to be used */
  readonly databaseUrl: string | null
  /** PostgreSQL schema of the site */
  readonly site: string
  readonly dataFolder: string
  /** 0 = any free one */
  readonly listenPort: number
  readonly listenHost: string
  readonly publicBlobsFolder: string
  readonly privateBlobsFolder: string
  readonly backupsFolder: string
  /** age recipients; [] = scheduled backups are not encrypted */
  readonly backupRecipients: readonly string[]
  /** age identities as text; '' = encrypted scheduled backups cannot be read again here */
  readonly backupIdentity: string
  /** null = made at random and kept by the server */
  readonly sessionSecret: string | null
  /** null = no mail */
  readonly emailUrl: string | null
  /** null = no JSON Web Tokens */
  readonly jwtSecret: string | null
  readonly jwtIssuer: string | null
  readonly jwtAudienceRoot: string
  readonly jwtExpiresSeconds: number
  readonly totpIssuer: string
  /** proxies whose X-Forwarded-* headers are believed: none, the last n hops, or these addresses and networks */
  readonly trustProxy: false | number | readonly string[]
  readonly httpsChecksDisabled: boolean
  readonly unsafeDatabaseAllowed: boolean
  readonly workersDisabled: boolean
  readonly logLevel: SettingValues['log level']
  /** sentences for the operator about settings that mean nothing any more */
  readonly warnings: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The configuration that `env` holds. Names that do not begin with RM3_ are not looked at, an empty value is none.
 *
 * @param folder relative paths in values begin here
 * @throws CONFIG_INVALID naming every unknown name and bad value at once (`details.problems`), never a secret's value
 */
export function loadConfig(env: Environment, folder: string = process.cwd()): Config {
  const problems = unknownNames(env)
  const read = <N extends SettingName>(name: N) => readSetting(name, env, folder, problems)

  const dataFolder = read('RM3_DATA')
  const config: Config = {
    databaseUrl: read('RM3_PG'),
    site: read('RM3_SITE'),
    dataFolder,
    listenPort: read('RM3_LISTEN_PORT'),
    listenHost: read('RM3_LISTEN_HOST'),
    publicBlobsFolder: read('RM3_LOCAL_BLOBS') ?? resolve(dataFolder, 'blobs/public'),
    privateBlobsFolder: read('RM3_PRIVATE_BLOBS') ?? resolve(dataFolder, 'blobs/private'),
    backupsFolder: read('RM3_BACKUPS') ?? resolve(dataFolder, 'backups'),
    backupRecipients: (read('RM3_BACKUP_RECIPIENT') ?? '').split(/[\s,]+/).filter(Boolean),
    backupIdentity: read('RM3_BACKUP_IDENTITY') ?? '',
    sessionSecret: read('RM3_SESSION_SECRET'),
    emailUrl: read('RM3_EMAIL'),
    jwtSecret: read('RM3_JWT_SECRET'),
    jwtIssuer: read('RM3_JWT_ISSUER'),
    jwtAudienceRoot: read('RM3_JWT_AUDIENCE_ROOT'),
    jwtExpiresSeconds: read('RM3_JWT_EXPIRES_SECONDS'),
    totpIssuer: read('RM3_TOTP_ISSUER'),
    trustProxy: read('RM3_DANGER_TRUST_PROXY'),
    httpsChecksDisabled: read('RM3_DANGER_DISABLE_HTTPS_CHECKS'),
    unsafeDatabaseAllowed: read('RM3_DANGER_UNSAFE_DATABASE'),
    workersDisabled: read('RM3_WF_DISABLE'),
    logLevel: read('RM3_LOG_LEVEL'),
    warnings: Object.freeze(warningsOf(env)),
  }
  if (`${config.privateBlobsFolder}/`.startsWith(`${config.publicBlobsFolder}/`)) {
    problems.push('RM3_PRIVATE_BLOBS lies in RM3_LOCAL_BLOBS, which is served to everyone')
  }
  if (problems.length > 0) {
    throw new Rm3Error('CONFIG_INVALID', `Bad settings:\n  ${problems.join('\n  ')}`, { problems })
  }
  return Object.freeze(config)
}

/**
 * `env` with the settings of `folder`/.env beneath it: a name that is set in both keeps its value of `env`.
 *
 * @returns `env` itself when there is no such file
 * @throws CONFIG_INVALID when it cannot be read
 */
export function withEnvFile(env: Environment, folder: string = process.cwd()): Environment {
  const file = resolve(folder, '.env')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return env
    throw new Rm3Error('CONFIG_INVALID', `${file} cannot be read: ${codeOf(thrown)}`, { file })
  }
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '')
  return { ...parseEnv(text), ...Object.fromEntries(set) }
}

function readSetting<N extends SettingName>(
  name: N,
  env: Environment,
  folder: string,
  problems: string[],
): SettingValues[(typeof SETTINGS)[N]['kind']] | Default<N> {
  const setting = SETTINGS[name]
  const fallback = parse(setting.default ?? '') as Default<N>

  const text = textOf(name, env, folder, problems)
  if (text === '') return fallback
  const value = parse(text)
  if (value !== null) return value

  const shown = setting.secret ? 'its value' : JSON.stringify(text)
  problems.push(`${name}: ${shown} is not ${PARSERS[setting.kind].allowed}`)
  return fallback

  function parse(from: string) {
    return PARSERS[setting.kind].parse(from, folder) as
      | SettingValues[(typeof SETTINGS)[N]['kind']]
      | null
  }
}

type Default<N extends SettingName> = (typeof SETTINGS)[N]['default'] extends null ? null : never

/** The setting's text, out of the file that NAME_FILE names where a secret is given so; '' when not set. */
function textOf(name: SettingName, env: Environment, folder: string, problems: string[]): string {
  const direct = env[name] ?? ''
  const file = SETTINGS[name].secret ? (env[`${name}_FILE`] ?? '') : ''
  if (file === '') return direct
  if (direct !== '') {
    problems.push(`${name} and ${name}_FILE are both set: keep one`)
    return ''
  }
  try {
    const text = readFileSync(resolve(folder, file), 'utf8').replace(/\r?\n$/, '')
    if (text === '') problems.push(`${name}_FILE: ${file} is empty`)
    return text
  } catch (thrown) {
    problems.push(`${name}_FILE: ${file} cannot be read: ${codeOf(thrown)}`)
    return ''
  }
}

function unknownNames(env: Environment): string[] {
  const known = Object.entries(SETTINGS).flatMap(([name, { secret }]) =>
    secret ? [name, `${name}_FILE`] : [name],
  )
  return Object.keys(env)
    .filter(name => name.startsWith('RM3_') && !name.startsWith(IGNORED_PREFIX))
    .filter(name => !known.includes(name) && !(name in OLD_SETTINGS))
    .sort()
    .map(name => `${name} is not a setting${suggestion(name, known)}`)
}

function suggestion(name: string, known: string[]): string {
  const near = known.find(candidate => isOneSlipAway(name, candidate))
  return near === undefined ? '; docs/reference/configuration.md lists them' : `; is ${near} meant?`
}

/** Whether two names differ by a letter left out, put in, changed or swapped with its neighbour. */
function isOneSlipAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let from = 0
  while (a[from] !== undefined && a[from] === b[from]) from++
  const left = a.slice(from)
  const right = b.slice(from)
  const swapped = `${left[1] ?? ''}${left[0] ?? ''}${left.slice(2)}`
  return (
    left.slice(1) === right ||
    left === right.slice(1) ||
    left.slice(1) === right.slice(1) ||
    swapped === right
  )
}

function warningsOf(env: Environment): string[] {
  return Object.entries(OLD_SETTINGS)
    .filter(([name]) => (env[name] ?? '') !== '')
    .map(([name, why]) => `${name} is of rm3 0.x and means nothing now: ${why}`)
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown)
}
