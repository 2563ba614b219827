import {
  type Account,
  type CredentialRow,
  listAccounts,
  listCredentials,
  listRoles,
} from '../../projections/accounts.ts'
import type { Viewer } from '../access/viewer.ts'
import { getAccount } from '../commands/accounts.ts'
import type { Site } from '../commands/change.ts'
import { leafLabel } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { type Reader, viewerOf } from './reader.ts'

/** A user, as far as the reader may know. */
export interface UserEntry {
  /** Login name. */
  readonly user: string
  readonly id: string
  readonly path: string
  readonly name: string
  /** These two only to the user and to those with `user.edit`. */
  readonly email?: string | null
  readonly disabled?: boolean
}

export interface UserAnswer extends UserEntry {
  /** Only to the user and to those with `user.edit` or `grant`. */
  readonly roles?: readonly string[]
  /** What logs the user in, without any secret: only to the user and to those with `user.edit`. */
  readonly credentials?: readonly (Omit<CredentialRow, 'credential'> & { readonly id: string })[]
}

export const USERS_MAX = 1_000
export const USERS_DEFAULT = 50
const LISTING = { list: 'users' }

/** Users whom the reader may view, by path. @throws CURSOR_INVALID */
export async function listUsers(
  site: Site,
  reader: Reader,
  part: { limit: number; after: string | null },
): Promise<{ items: UserEntry[]; next: string | null }> {
  const viewer = await viewerOf(site, reader)
  const { limit, after } = part
  const from = after === null ? '' : String(readCursor(LISTING, after, ['string'])[0])
  const found = await listAccounts(site.db, viewer.pathsWith('view'), from, limit + 1)
  const items = found.slice(0, limit).map(account => entryOf(viewer, account))
  const last = items.at(-1)
  return { items, next: found.length > limit && last ? makeCursor(LISTING, [last.path]) : null }
}

/** One user. @throws USER_NOT_FOUND also for one whom the reader may not view */
export async function readUser(site: Site, reader: Reader, login: string): Promise<UserAnswer> {
  const { viewer, account } = await getVisibleAccount(site, reader, login)
  const { id, path } = account
  const sees = isOwnOrEdited(viewer, account)
  const roles = sees || viewer.may('grant', path) ? await listRoles(site.db, id) : null
  const credentials = sees ? await listCredentials(site.db, id) : null
  return {
    ...entryOf(viewer, account),
    ...(roles && { roles }),
    ...(credentials && {
      credentials: credentials.map(({ credential, ...rest }) => ({ id: credential, ...rest })),
    }),
  }
}

/** The account of a user whom the reader may view, or is. @throws USER_NOT_FOUND for all others */
export async function getVisibleAccount(
  site: Site,
  reader: Reader,
  login: string,
): Promise<{ viewer: Viewer; account: Account }> {
  const viewer = await viewerOf(site, reader)
  const account = await getAccount(site.db, login)
  if (viewer.userId === account.id || viewer.may('view', account.path)) return { viewer, account }
  throw new Rm3Error('USER_NOT_FOUND', `there is no user "${login}"`, { user: login })
}

function entryOf(viewer: Viewer, account: Account): UserEntry {
  const { id, path, name, email, disabled } = account
  const entry = { user: leafLabel(path), id, path, name }
  return isOwnOrEdited(viewer, account) ? { ...entry, email, disabled } : entry
}

function isOwnOrEdited(viewer: Viewer, { id, path }: Account): boolean {
  return viewer.userId === id || viewer.may('user.edit', path)
}
