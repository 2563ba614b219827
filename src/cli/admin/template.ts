import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { newPassword } from '../../access/password.ts'
import {
  readTemplate,
  type TemplateCommand,
  type TemplateUser,
} from '../../backup/legacy/template.ts'
import type { JsonObject } from '../../codec/json.ts'
import { addUser, getAccount, recordPassword, userPath } from '../../commands/accounts.ts'
import { type Change, change } from '../../commands/change.ts'
import { createPage } from '../../commands/pages.ts'
import { assignUser, permitRole } from '../../commands/rights.ts'
import { parsePath } from '../../content/path.ts'
import type { Entity } from '../../content/state.ts'
import { Rm3Error } from '../../errors.ts'
import { counted } from '../../scheme/words.ts'
import type { Command } from '../command.ts'
import { AS_ROOT, withSite } from '../open.ts'

/** `rm3admin loadtemplate`: pages, users and grants out of a file, all or none. */
export const loadTemplate: Command = {
  name: 'loadtemplate',
  summary: 'makes the users, grants and pages of a template file',
  arguments: [
    { name: 'FILE', summary: 'a JSON array of items, as rm3 0.x took it' },
    { name: 'PATH', summary: 'path below which the pages go, such as wh' },
  ],
  details: 'All of it or nothing. Users without a password get one, which is shown once.',
  run: async call => {
    const file = call.argument('FILE')
    const source = await readFile(resolve(call.terminal.cwd, file)).catch(cause => {
      throw new Rm3Error('SOURCE_NOT_FOUND', `${file} cannot be read: ${String(cause.code)}`, {
        file,
        cause,
      })
    })
    const commands = readTemplate(source, parsePath(call.argument('PATH')), file)
    return withSite(call, async site => {
      const author = { ...AS_ROOT, note: 'loaded from a template' }
      const { result: passwords } = await change(site, author, it => run(it, commands))
      const counts = countsOf(commands)
      const text = [
        `Loaded ${file}: ${counted(counts.pages, 'page')}, ${counted(counts.users, 'user')}, ${counted(counts.assignments, 'role')} of users, ${counted(counts.grants, 'grant')}.`,
        ...passwords.map(
          ({ user, password }) => `Password of ${user} (shown this once): ${password}`,
        ),
      ].join('\n')
      return { text, data: { file, ...counts, passwords } }
    })
  },
}

/** A password that was made, to be shown once. */
interface MadePassword extends JsonObject {
  readonly user: string
  readonly password: string
}

async function run(it: Change, commands: readonly TemplateCommand[]): Promise<MadePassword[]> {
  const ids = new Map<string, string>()
  const passwords: MadePassword[] = []
  for (const command of commands) {
    switch (command.type) {
      case 'CreateUser': {
        const user = await makeUser(it, command)
        ids.set(command.name, user.id)
        const password = command.password ?? newPassword()
        if (command.password === null) passwords.push({ user: command.name, password })
        await recordPassword(it, user, password)
        break
      }
      case 'AssignRole': {
        const { user, role } = command
        await assignUser(it, ids.get(user) ?? (await getAccount(it.site.db, user)).id, role)
        break
      }
      case 'PermitRole':
        await permitRole(it, command)
        break
      default:
        await createPage(it, { path: command.path, document: command.document })
    }
  }
  return passwords
}

function makeUser(it: Change, command: TemplateUser): Promise<Entity> {
  const { name, fullName, profile, profileUrl, email, path } = command
  demandUsersPath(path, name)
  return addUser(it, {
    ...{ login: name, fullName },
    ...(profile !== null && { profile }),
    ...(profileUrl !== null && { profileUrl }),
    ...(email !== null && { email }),
  })
}

/** Who logs in is looked up there, so users elsewhere could not. */
function demandUsersPath(path: string, login: string): void {
  if (path.toLowerCase() === userPath(login)) return
  throw new Rm3Error(
    'USAGE',
    `the template makes users, who are at ${userPath(login)}, not ${path}: load it below wh`,
    { path },
  )
}

function countsOf(commands: readonly TemplateCommand[]) {
  const count = (type: TemplateCommand['type']) =>
    commands.filter(command => command.type === type).length
  return {
    pages: count('CreatePage'),
    users: count('CreateUser'),
    assignments: count('AssignRole'),
    grants: count('PermitRole'),
  }
}
