import { isIP } from 'node:net'
import { resolve } from 'node:path'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const BOOLEANS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])
const PORT_MAX = 65_535
const HOPS_MAX = 100
const SECRET_CHARACTERS_MIN = 16
const SECONDS_MAX = 10 * 366 * 86_400

/** What a value of each kind is once read. */
export interface SettingValues {
  'postgres url': string
  'smtp url': string
  schema: string
  folder: string
  'blob folder': string
  port: number
  host: string
  secret: string
  text: string
  seconds: number
  proxies: false | number | readonly string[]
  boolean: boolean
  'log level': (typeof LOG_LEVELS)[number]
}

export type SettingKind = keyof SettingValues

/** How the text of a value is read: `parse` gives null when it is not `allowed`; paths begin at `folder`. */
type Parsers = {
  readonly [K in SettingKind]: {
    readonly allowed: string
    parse(text: string, folder: string): SettingValues[K] | null
  }
}

/** The reader of each kind of value, and the words that say what it takes. */
export const PARSERS: Parsers = {
  'postgres url': {
    allowed: 'a URL like postgresql://user:password@host:5432/database',
    parse: text => (isUrl(text, ['postgres:', 'postgresql:']) ? text : null),
  },
  'smtp url': {
    allowed: 'a URL like smtps://user:password@host',
    parse: text => (isUrl(text, ['smtp:', 'smtps:']) ? text : null),
  },
  schema: {
    allowed:
      'a name of at most 40 of a-z, 0-9 and _ that begins with a letter, other than pg_…, public and information_schema',
    parse: text =>
      /^(?!pg_|public$|information_schema$)[a-z][a-z0-9_]{0,39}$/.test(text) ? text : null,
  },
  folder: {
    allowed: 'the path of a folder',
    parse: (text, folder) => (isFolder(text) ? resolve(folder, text) : null),
  },
  'blob folder': {
    allowed: 'the path of a folder (s3:// is not supported yet)',
    parse: (text, folder) => (isFolder(text) ? resolve(folder, text) : null),
  },
  port: {
    allowed: `a port from 0 to ${PORT_MAX}`,
    parse: text => wholeNumber(text, 0, PORT_MAX),
  },
  host: {
    allowed: 'an IP address or a host name',
    parse: text => (isIP(text) > 0 || /^[a-z0-9]([a-z0-9.-]{0,252})$/i.test(text) ? text : null),
  },
  secret: {
    allowed: `at least ${SECRET_CHARACTERS_MIN} characters long`,
    parse: text => (text.length >= SECRET_CHARACTERS_MIN ? text : null),
  },
  text: {
    allowed: 'text without control characters',
    parse: text => (text !== '' && /^\P{Cc}+$/u.test(text) ? text : null),
  },
  seconds: {
    allowed: `a number of seconds from 1 to ${SECONDS_MAX}`,
    parse: text => wholeNumber(text, 1, SECONDS_MAX),
  },
  proxies: {
    allowed:
      'false, a number of proxies, or addresses and networks like 127.0.0.1,10.0.0.0/8 (with true anyone could forge an address)',
    parse: parseProxies,
  },
  boolean: {
    allowed: 'true, false, 1 or 0',
    parse: text => BOOLEANS.get(text) ?? null,
  },
  'log level': {
    allowed: `one of ${LOG_LEVELS.join(', ')}`,
    parse: text => LOG_LEVELS.find(level => level === text) ?? null,
  },
}

function isUrl(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol)
}

/** A path, not a URL; `C:\…` is one. */
function isFolder(text: string): boolean {
  return text !== '' && !text.includes('\0') && !/^[a-z][a-z0-9+.-]+:\/\//i.test(text)
}

function wholeNumber(text: string, least: number, most: number): number | null {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : null
}

function parseProxies(text: string): SettingValues['proxies'] | null {
  if (text === 'false') return false
  if (/^\d+$/.test(text)) return wholeNumber(text, 1, HOPS_MAX) ?? (text === '0' ? false : null)
  const networks = text.split(',').map(network => network.trim())
  return networks.every(isNetwork) ? Object.freeze(networks) : null
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const bitsMax = { 4: 32, 6: 128 }[isIP(address)]
  if (bitsMax === undefined || rest.length > 0) return false
  return bits === undefined || wholeNumber(bits, 1, bitsMax) !== null
}
