import { type Account, listCredentials, listRoles } from '../../../projections/accounts.ts'
import { newPassword } from '../../access/password.ts'
import {
  addUser,
  getAccount,
  type NewUser,
  recordPassword,
  setPassword,
} from '../../commands/accounts.ts'
import { change } from '../../commands/change.ts'
import { leafLabel } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import type { Db } from '../../pg/db.ts'
import type { Call, Command, Option, Outcome } from '../command.ts'
import { AS_ROOT, withSite } from '../open.ts'
import { readStdin } from '../stdin.ts'
import { columns } from '../usage.ts'

const PASSWORD: Option = {
  value: 'PW',
  summary: 'the password; - reads it from stdin; without it one is made and shown once',
}
const NAME = { name: 'NAME', summary: 'login name: letters, digits and _' }

const adduser: Command = {
  name: 'adduser',
  summary: 'makes a user',
  arguments: [NAME, { name: 'FULLNAME', summary: 'the name people see' }],
  options: {
    profile: { short: 'p', value: 'TEXT', summary: 'a sentence about the user' },
    password: PASSWORD,
    url: { short: 'u', value: 'URL', summary: "the user's own site" },
    email: { short: 'e', value: 'EMAIL', summary: 'address, which is good for logging in too' },
  },
  run: async call => {
    const { password, made } = await passwordOf(call)
    return withSite(call, async site => {
      const { result } = await change(site, AS_ROOT, async it => {
        const user = await addUser(it, newUser(call))
        await recordPassword(it, user, password)
        return user
      })
      const user = leafLabel(result.path)
      return {
        text: [`Made the user ${user} at ${result.path}.`, ...shown(password, made)].join('\n'),
        data: { user, path: result.path, id: result.id, ...(made && { password }) },
      }
    })
  },
}

const passwd: Command = {
  name: 'passwd',
  summary: "sets a user's password; all sessions of the user end",
  arguments: [NAME],
  options: { password: PASSWORD },
  run: async call => {
    const { password, made } = await passwordOf(call)
    return withSite(call, async site => {
      const account = await getAccount(site.db, call.argument('NAME'))
      await setPassword(site, AS_ROOT, account.id, password)
      const user = leafLabel(account.path)
      return {
        text: [`Set the password of ${user}.`, ...shown(password, made)].join('\n'),
        data: { user, id: account.id, ...(made && { password }) },
      }
    })
  },
}

const userinfo: Command = {
  name: 'userinfo',
  summary: 'shows a user: roles and what logs him in',
  arguments: [NAME],
  run: call =>
    withSite(call, async ({ db }) => infoOf(db, await getAccount(db, call.argument('NAME')))),
}

async function infoOf(db: Db, account: Account): Promise<Outcome> {
  const roles = await listRoles(db, account.id)
  const credentials = await listCredentials(db, account.id)
  const { id, path, name, email, disabled } = account
  const lines = columns([
    ['User', leafLabel(path)],
    ['Name', name],
    ['E-mail', email ?? '(none)'],
    ['Path', path],
    ['Id', id],
    ['Login', disabled ? 'closed' : 'open'],
    ['Roles', roles.join(', ') || '(none)'],
    ...credentials.map(({ provider, label, created, expires }): [string, string] => [
      'Credential',
      `${provider}${label === null ? '' : ` "${label}"`}, set ${created}${expires === null ? '' : `, until ${expires}`}`,
    ]),
  ])
  const data = {
    ...{ user: leafLabel(path), id, path, name, email, disabled, roles },
    credentials: credentials.map(credential => ({ ...credential })),
  }
  return { text: lines.join('\n'), data }
}

function newUser(call: Call): NewUser {
  const [profile, profileUrl, email] = ['profile', 'url', 'email'].map(name => call.option(name))
  return {
    login: call.argument('NAME'),
    fullName: call.argument('FULLNAME'),
    ...(profile && { profile }),
    ...(profileUrl && { profileUrl }),
    ...(email && { email }),
  }
}

/** The password that was given, or one that is made. @throws PASSWORD_INVALID */
async function passwordOf(call: Call): Promise<{ password: string; made: boolean }> {
  const given = call.option('password')
  if (given === null) return { password: newPassword(), made: true }
  if (given !== '-') return { password: notEmpty(given), made: false }
  const text = (await readStdin(call)).toString('utf8').replace(/\r?\n$/, '')
  return { password: notEmpty(text), made: false }
}

function notEmpty(password: string): string {
  if (password !== '') return password
  throw new Rm3Error('PASSWORD_INVALID', 'the password is empty')
}

function shown(password: string, made: boolean): string[] {
  return made ? [`Password (shown this once): ${password}`] : []
}

/** `rm3admin adduser`, `passwd` and `userinfo`. */
export const accountCommands: readonly Command[] = [adduser, passwd, userinfo]
