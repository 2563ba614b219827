import { listBlobs } from '../../../projections/blobs.ts'
import { listUnder } from '../../../projections/pages.ts'
import { ROOT_VIEWER } from '../../../src/access/viewer.ts'
import { readPage } from '../../../src/queries/read-page.ts'
import type { TestSite } from '../../support/database.ts'

/** What a reader sees of every page, and what of its history was ever shown. */
export async function shownIn({ site }: Pick<TestSite, 'site'>): Promise<unknown[]> {
  const shown: unknown[] = []
  for (const { id, path } of await listUnder(site.db, 'wh', 1000)) {
    const answer = await readPage(site, ROOT_VIEWER, path)
    if (answer.type !== 'page') throw new Error(`${path} is not there`)
    const { entityId, proto, hidden, created, modified, touched, author, number } = answer.page
    const parts = [answer.page.summary, answer.page.data, answer.page.tags].map(text =>
      sorted(JSON.parse(text)),
    )
    const blobs = (await listBlobs(site.db, id)).map(({ name, sha256, mediaType, category }) => ({
      ...{ name, sha256, mediaType, category },
    }))
    shown.push({
      path,
      entityId,
      proto,
      hidden,
      created,
      modified,
      touched,
      author,
      number,
      parts,
      blobs,
    })
  }
  return shown.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, it]) => [key, sorted(it)]),
  )
}
