import type { Viewer } from '../../access/viewer.ts'
import type { Site } from '../../commands/change.ts'
import { SITE_PATH } from '../../content/path.ts'
import type { Moment } from '../../queries/at.ts'
import { findNamedPages } from '../../queries/named-pages.ts'
import type { SiteNames } from './site-names.ts'

/** What a feed calls the site: as its pages do, by the setting or by the front page where the reader may see it. */
export async function feedTitle(
  site: Site,
  viewer: Viewer,
  { names, when }: { names: SiteNames; when: Moment | null },
): Promise<string> {
  if (names.title !== null) return names.title
  const named = await findNamedPages(site, viewer, [SITE_PATH], when)
  return named.get(SITE_PATH)?.title || 'rm3'
}
