import { type Grant, listGrants } from '../../projections/grants.ts'
import { listSettings } from '../../projections/settings.ts'
import type { Json } from '../codec/json.ts'
import type { Site } from '../commands/change.ts'
import { demandSiteGrant } from '../commands/rights.ts'
import { FOREVER } from '../projector/define.ts'
import { type Reader, viewerOf } from './reader.ts'

const NOW = FOREVER - 1

/**
 * Grants of the site, now or at a position, by role, permission and pattern: for those with `grant` on the site today.
 *
 * @param role null: of all roles
 * @param position null: now
 * @throws LOGIN_REQUIRED, PERMISSION_DENIED
 */
export async function readGrants(
  site: Site,
  reader: Reader,
  role: string | null,
  position: number | null,
): Promise<Grant[]> {
  demandSiteGrant(await viewerOf(site, reader))
  const grants = await listGrants(site.db, position ?? NOW)
  return role === null ? grants : grants.filter(grant => grant.role === role)
}

/** Settings of the site by key, for the same people. @param position null: now @throws as `readGrants` */
export async function readSettings(
  site: Site,
  reader: Reader,
  position: number | null,
): Promise<{ key: string; value: Json }[]> {
  demandSiteGrant(await viewerOf(site, reader))
  return listSettings(site.db, position ?? NOW)
}
