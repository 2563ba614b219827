import type { Access, UserAccess } from '../backup/access.ts'
import { grantOfKey } from '../content/evolve-site.ts'
import { Rm3Error } from '../errors.ts'
import { counted } from '../scheme/words.ts'
import type { Call, Option } from './command.ts'

export const ACCESS_OPTIONS: Readonly<Record<string, Option>> = {
  'without-access': {
    summary:
      'into an empty site: takes back all grants, roles, passwords and tokens behind what was loaded; for a backup of somebody else',
  },
}

const USERS_SHOWN = 20
const USERS_TOLD = 1_000
/** Who has it may give all others. */
const GIVES = 'grant'

/** Whether what comes in is to have nobody who may more than anybody. @throws USAGE where nothing of the kind comes in */
export function isWithoutAccess(call: Call): boolean {
  const isAsked = call.flag('without-access')
  const others = ['into-live', 'git', 'file'].filter(name => isGiven(call, name))
  if (isAsked && others.length > 0) {
    throw new Rm3Error(
      'USAGE',
      `--without-access goes with -d and --archive into an empty site; with --${others[0]} no rights come in`,
    )
  }
  return isAsked
}

function isGiven(call: Call, name: string): boolean {
  return name === 'into-live' ? call.flag(name) : call.option(name) !== null
}

/** What `--json` says of the access that came with a backup. */
export function accessData(access: Access | null) {
  if (access === null) return null
  const { grants, users } = access
  return {
    ...{ grants: grants.length, mayGrant: rolesThatGive(access), users: users.length },
    items: users.slice(0, USERS_TOLD).map(user => ({
      ...{ path: user.path, roles: [...user.roles], credentials: countsOf(user) },
    })),
  }
}

/** What people are told of it: in a dry run who it is, else how many. [] when nothing came in. */
export function accessLines(call: Call, access: Access | null): string[] {
  if (access === null) return []
  const { grants, users } = access
  if (grants.length + users.length === 0)
    return ['  no grants, roles, passwords or tokens come with it']
  const logIns = users.filter(({ credentials }) => credentials.length > 0).length
  const isTakenBack = call.flag('without-access')
  const first = `  ${counted(grants.length, 'grant')}; ${counted(users.length, 'user')} with roles or a way to log in (${logIns} with a password or token)`
  const line = `${first}${isTakenBack ? ': all of that is taken back' : ''}`
  return call.flag('dry-run') ? [line, ...namesOf(access, isTakenBack)] : [line]
}

/** How the chain of a log that was loaded compares with that of where it came from. */
export function chainWords(call: Call, chain: string, source: 'backup' | 'archive'): string {
  return call.flag('without-access')
    ? `the chain is that of the ${source} up to its end; behind what takes access back it ends with ${chain}`
    : `the chain ends with ${chain}, as in the ${source}`
}

function namesOf(access: Access, isTakenBack: boolean): string[] {
  const { users } = access
  const more = users.length - USERS_SHOWN
  const giving = rolesThatGive(access)
  return [
    ...users.slice(0, USERS_SHOWN).map(user => `    ${user.path}: ${wordsOf(user).join(', ')}`),
    ...(more > 0 ? [`    and ${more} more (--json tells up to ${USERS_TOLD})`] : []),
    `  roles that may give rights: ${giving.length === 0 ? 'none' : giving.join(', ')}`,
    ...(isTakenBack ? [] : ['  --without-access loads it without any of that']),
  ]
}

function wordsOf(user: UserAccess): string[] {
  const credentials = Object.entries(countsOf(user)).map(([provider, count]) =>
    count === 1 ? `a ${provider}` : counted(count, provider),
  )
  return [...user.roles, ...credentials]
}

function countsOf({ credentials }: UserAccess): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { provider } of credentials) counts.set(provider, (counts.get(provider) ?? 0) + 1)
  return Object.fromEntries(counts)
}

function rolesThatGive({ grants }: Access): string[] {
  const giving = grants.map(grantOfKey).filter(({ permission }) => permission === GIVES)
  return [...new Set(giving.map(({ role }) => role))].sort()
}
