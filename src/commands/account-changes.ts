import type { Account } from '../../projections/accounts.ts'
import { findSecretOfUser } from '../access/credentials.ts'
import { verifyPassword } from '../access/password.ts'
import { demand } from '../access/viewer.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import {
  addUser,
  changeAndForget,
  demandUser,
  findUser,
  type NewUser,
  recordPassword,
  setPassword,
} from './accounts.ts'
import { type Author, type Change, change, type Site, type Written } from './change.ts'
import { deletePage } from './pages.ts'

/**
 * Makes a user. One who can log in at once takes `user.edit` on the new path beside what `addUser` asks for.
 *
 * @throws as `addUser`, PASSWORD_INVALID
 */
export async function addUserWithPassword(
  change: Change,
  user: NewUser,
  password: string | null,
): Promise<Entity> {
  const entity = await addUser(change, user)
  if (password === null) return entity
  demand(change.viewer, 'user.edit', entity.path)
  await recordPassword(change, entity, password)
  return (await change.entity(entity.id)) ?? entity
}

/**
 * Changes a password. One's own takes the old one, where there is one; another's takes the right `user.edit`. All sessions end.
 *
 * @param old null: not told
 * @throws LOGIN_FAILED when the old one is not right, PASSWORD_INVALID, USER_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED, RATE_LIMITED
 */
export async function changePassword(
  site: Site,
  author: Author,
  what: { account: Account; password: string; old: string | null },
): Promise<void> {
  const { account, password, old } = what
  const { userId, isLimited } = author.viewer
  if (userId === account.id && !isLimited) await demandOldPassword(site, account.id, old)
  else await demandMayEdit(site, author, account.id)
  await setPassword(site, author, account.id, password)
}

async function demandOldPassword(site: Site, userId: string, old: string | null): Promise<void> {
  const known = await findSecretOfUser(site.db, userId, 'password')
  if (known === null) return
  const { ok } = await verifyPassword(old ?? '', known.secret)
  if (!ok) throw new Rm3Error('LOGIN_FAILED', 'the old password is wrong', { pointer: '/old' })
}

/** Asked before anything is hashed. */
async function demandMayEdit(site: Site, author: Author, userId: string): Promise<void> {
  await change(site, author, async change => {
    demandUser(author.viewer, await findUser(change, userId), { userId, permission: 'user.edit' })
  })
}

/**
 * Deletes a user, which is to delete the user's page: passwords and tokens are void and sessions end, also if the page is
 * undeleted one day. Roles stay with it.
 *
 * @throws USER_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED without `post.delete`
 */
export async function deleteUser(
  site: Site,
  author: Author,
  userId: string,
): Promise<Written<Entity>> {
  return changeAndForget(site, author, async change => {
    const wanted = { userId, permission: 'post.delete' }
    const user = demandUser(author.viewer, await findUser(change, userId), wanted)
    return deletePage(change, user.path)
  })
}
