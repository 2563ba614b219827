import { findAccount, listCredentials } from '../../../projections/accounts.ts'
import { findToken } from '../../access/credentials.ts'
import {
  createToken,
  getAccount,
  revokeCredential,
  SCOPES,
  type Scope,
} from '../../commands/accounts.ts'
import { leafLabel } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import type { Argument, Call, Command } from '../command.ts'
import { AS_ROOT, withSite } from '../open.ts'

const USER: Argument = { name: 'USER', summary: 'login name' }
const DAY_MS = 86_400_000
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const create: Command = {
  name: 'token create',
  summary: 'makes an API token, which is shown once',
  arguments: [USER],
  options: {
    scope: { value: 'SCOPE', summary: `${SCOPES.join(' or ')}; write when not given` },
    expires: { value: 'D', summary: 'a date, an instant, or days such as 30d; never if not given' },
    label: { value: 'TEXT', summary: 'what it is for' },
  },
  run: async call => {
    const scope = scopeOf(call)
    const expires = expiryOf(call.option('expires'), Date.now())
    const label = call.option('label')
    return withSite(call, async site => {
      const account = await getAccount(site.db, call.argument('USER'))
      const created = await createToken(site, AS_ROOT, {
        userId: account.id,
        scope,
        ...(expires !== null && { expires }),
        ...(label !== null && { label }),
      })
      const user = leafLabel(account.path)
      const { id, token } = created
      const until = expires === null ? 'without end' : `until ${expires}`
      const text = `${token}\n\nThe token of ${user}, to ${scope}, ${until}. It is shown this once; its id is ${id}.`
      return { text, data: { token, id, user, userId: account.id, scope, expires, label } }
    })
  },
}

const list: Command = {
  name: 'token list',
  summary: "lists a user's API tokens",
  arguments: [USER],
  run: call =>
    withSite(call, async ({ db }) => {
      const account = await getAccount(db, call.argument('USER'))
      const credentials = await listCredentials(db, account.id)
      const items = credentials
        .filter(({ provider }) => provider === 'token')
        .map(({ credential: id, label, scope, created, expires }) => ({
          ...{ id, label, scope, created, expires },
        }))
      const lines = items.map(
        ({ id, label, scope, created, expires }) =>
          `  ${id}  ${scope ?? ''}  ${created}  ${expires ?? 'without end'}  ${label ?? ''}`,
      )
      return { text: lines.join('\n') || 'None.', data: { items, next: null } }
    }),
}

const revoke: Command = {
  name: 'token revoke',
  summary: 'takes an API token away; it is void at once',
  arguments: [{ name: 'ID', summary: 'as token create and token list show it' }],
  run: call =>
    withSite(call, async site => {
      const id = call.argument('ID').toLowerCase()
      const found = UUID.test(id) ? await findToken(site.db, id) : null
      if (found === null) {
        throw new Rm3Error('TOKEN_NOT_FOUND', `there is no token ${id.slice(0, 80)}`, { id })
      }
      await revokeCredential(site, AS_ROOT, { userId: found.userId, credential: id })
      const account = await findAccount(site.db, found.userId)
      const user = account === null ? found.userId : leafLabel(account.path)
      return { text: `Revoked ${id} of ${user}.`, data: { id, user, revoked: true } }
    }),
}

function scopeOf(call: Call): Scope {
  const given = call.option('scope') ?? 'write'
  const scope = SCOPES.find(known => known === given)
  if (scope !== undefined) return scope
  throw new Rm3Error('USAGE', `--scope is ${SCOPES.join(' or ')}, not "${given.slice(0, 40)}"`)
}

/** When a token ends: RFC 3339, UTC, milliseconds. @throws USAGE when it is no time or has passed */
export function expiryOf(text: string | null, nowMs: number): string | null {
  if (text === null) return null
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? []
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  const at = days === undefined ? (isTime ? Date.parse(text) : Number.NaN) : nowMs + +days * DAY_MS
  if (at > nowMs) return new Date(at).toISOString()
  const why = Number.isNaN(at) ? 'is no time' : 'has passed'
  throw new Rm3Error('USAGE', `--expires: "${text.slice(0, 40)}" ${why}; name a date, or 30d`)
}

/** `rm3admin token create`, `token list` and `token revoke`. */
export const tokenCommands: readonly Command[] = [create, list, revoke]
