import type { Site } from '../commands/change.ts'
import { demandSiteGrant } from '../commands/rights.ts'
import { type Import, listImports } from '../log/imports.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { type Reader, viewerOf } from './reader.ts'

export const IMPORTS_MAX = 100
const LIST = { list: 'imports' }

/** What was imported, newest first, for those with `grant` on the root. @throws LOGIN_REQUIRED, PERMISSION_DENIED, CURSOR_INVALID */
export async function readImports(
  site: Site,
  reader: Reader,
  part: { limit: number; after: string | null },
): Promise<{ items: Import[]; next: string | null }> {
  demandSiteGrant(await viewerOf(site, reader))
  const { limit, after } = part
  const before = after === null ? null : String(readCursor(LIST, after, ['string'])[0])
  const found = await listImports(site.db, { before, limit: limit + 1 })
  const items = found.slice(0, limit)
  const last = items.at(-1)
  const hasMore = found.length > limit && last !== undefined
  return { items, next: hasMore ? makeCursor(LIST, [last.id]) : null }
}
