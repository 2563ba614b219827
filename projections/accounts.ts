import {
  close,
  type Db,
  type Document,
  defineProjection,
  documentOf,
  drop,
  type Entity,
  FOREVER,
  find,
  isUser,
  own,
  put,
  type RowChange,
} from 'rm3'

/** Users who can log in, their roles and what they log in with. Secrets are not here (see `src/access/credentials.ts`). */
export default defineProjection({
  name: 'accounts',
  version: 2,
  mode: 'inline',
  rights: true,
  tables: {
    accounts: { column: 'entity_id' },
    role_members: { column: 'entity_id' },
    credentials: { column: 'entity_id' },
  },
  sql: `
    create table {accounts} (
      entity_id uuid    not null primary key,
      path      text    not null collate "C",
      name      text    not null,
      email     text,
      disabled  boolean not null
    );
    create index {accounts}_path on {accounts} (path);
    create index {accounts}_email on {accounts} (email);

    create table {role_members} (
      entity_id      uuid   not null,
      role           text   not null,
      since          int    not null,
      from_position  bigint not null,
      until_position bigint not null,
      primary key (entity_id, role, since)
    );
    create index {role_members}_role on {role_members} (role, until_position);

    create table {credentials} (
      credential     uuid        not null primary key,
      entity_id      uuid        not null,
      provider       text        not null,
      label          text,
      scope          text,
      expires        timestamptz,
      created        timestamptz not null,
      from_position  bigint      not null,
      until_position bigint      not null
    );
    create index {credentials}_entity on {credentials} (entity_id, until_position);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity') return []
    const was = before?.kind === 'entity' ? before : null
    switch (event.type) {
      case 'RoleAssigned':
      case 'RoleDeassigned':
        return roleRows(was, after, event.data.role, event.position)
      case 'CredentialSet':
      case 'CredentialRemoved':
        return credentialRows(was, after, event.data.credential, event.position)
      default:
        return after.since === (was?.since ?? 0) ? [] : accountRows(was, after)
    }
  },
})

function accountRows(before: Entity | null, after: Entity): RowChange[] {
  if (!isUser(after)) {
    return before !== null && isUser(before) ? [drop('accounts', { entity_id: after.id })] : []
  }
  const { summary, data } = documentOf(after.live?.document ?? after.tip)
  const { title } = summary
  const row = {
    entity_id: after.id,
    path: after.path,
    name: typeof title === 'string' ? title : '',
    ...accountIn(data),
  }
  return [put('accounts', row)]
}

const EMAIL_MAX = 320

/** What the data of a user's document say of the account. */
export function accountIn({ email, disableLogin }: Document['data']): {
  email: string | null
  disabled: boolean
} {
  return {
    email: isEmail(email) ? email.toLowerCase() : null,
    disabled: disableLogin === true || disableLogin === 'true',
  }
}

function isEmail(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= EMAIL_MAX
}

function roleRows(
  before: Entity | null,
  after: Entity,
  role: string,
  position: number,
): RowChange[] {
  const since = before === null ? undefined : own(before.roles, role)
  const now = own(after.roles, role)
  const rows: RowChange[] = []
  if (since !== undefined) {
    rows.push(close('role_members', { entity_id: after.id, role, since }, position))
  }
  if (now !== undefined) {
    const row = { entity_id: after.id, role, since: now }
    rows.push(put('role_members', { ...row, from_position: position, until_position: FOREVER }))
  }
  return rows
}

function credentialRows(
  before: Entity | null,
  after: Entity,
  credential: string,
  position: number,
): RowChange[] {
  const now = own(after.credentials, credential)
  if (now === undefined) {
    if (before === null || own(before.credentials, credential) === undefined) return []
    return [close('credentials', { credential }, position)]
  }
  const { provider, label = null, scope = null, expires = null, created } = now
  const row = { credential, entity_id: after.id, provider, label, scope, expires, created }
  return [put('credentials', { ...row, from_position: position, until_position: FOREVER })]
}

export interface Account {
  readonly id: string
  readonly path: string
  readonly name: string
  readonly email: string | null
  readonly disabled: boolean
}

const ACCOUNT = `entity_id as id, path, name, email, disabled`

const BY_ID = `select ${ACCOUNT} from accounts where entity_id = $1::uuid`
const BY_PATH = `select ${ACCOUNT} from accounts where path = $1::text`
const BY_EMAIL = `select ${ACCOUNT} from accounts where email = $1::text order by entity_id limit 2`

/** The user with that entity id, or null. */
export async function findAccount(db: Db, id: string): Promise<Account | null> {
  return find<Account>(db, BY_ID, [id])
}

/** The user at a path such as `wh.users.ann`, or null. */
export async function findAccountAtPath(db: Db, path: string): Promise<Account | null> {
  return find<Account>(db, BY_PATH, [path])
}

/** The user with that e-mail address; null when none has it or more than one. */
export async function findAccountByEmail(db: Db, email: string): Promise<Account | null> {
  const [account, other] = await db.rows<Account>(BY_EMAIL, [email.toLowerCase()])
  return account === undefined || other !== undefined ? null : account
}

const ROLES = `select role from role_members
  where entity_id = $1::uuid and from_position <= $2::bigint and until_position > $2::bigint order by role`

/** The roles of a user at a position (`FOREVER - 1` is now), by name. */
export async function listRoles(db: Db, id: string, position = FOREVER - 1): Promise<string[]> {
  const rows = await db.rows<{ role: string }>(ROLES, [id, position])
  return rows.map(row => row.role)
}

const MEMBERS = `select m.entity_id as id, a.path, a.name from role_members m join accounts a on a.entity_id = m.entity_id
  where m.role = $1::text and m.until_position = ${FOREVER} order by a.path`

/** Users who have a role now, by path. */
export async function listMembers(
  db: Db,
  role: string,
): Promise<{ id: string; path: string; name: string }[]> {
  return db.rows(MEMBERS, [role])
}

const OWNER = `select entity_id as id from credentials where credential = $1::uuid and provider = 'token'`

/** The user whom an API token is, or was, of; or null. */
export async function findTokenOwner(db: Db, token: string): Promise<string | null> {
  return (await find<{ id: string }>(db, OWNER, [token]))?.id ?? null
}

export interface CredentialRow {
  readonly credential: string
  readonly provider: string
  readonly label: string | null
  readonly scope: string | null
  readonly expires: string | null
  readonly created: string
}

const CREDENTIALS = `select credential, provider, label, scope, expires, created from credentials
  where entity_id = $1::uuid and from_position <= $2::bigint and until_position > $2::bigint order by created, credential`

/** What a user could log in with at a position (`FOREVER - 1` is now): passwords, tokens and so on, oldest first. */
export async function listCredentials(
  db: Db,
  id: string,
  position = FOREVER - 1,
): Promise<CredentialRow[]> {
  return db.rows<CredentialRow>(CREDENTIALS, [id, position])
}
