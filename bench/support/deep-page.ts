import { ROOT_VIEWER } from '../../src/access/viewer.ts'
import { type Author, change, type Site } from '../../src/commands/change.ts'
import { decidePage } from '../../src/content/decide-page.ts'
import { documentOf } from './http-site.ts'

const AUTHOR: Author = { viewer: ROOT_VIEWER, door: 'api' }
const BATCH = 100

/** Makes a page with many revisions. */
export async function deepPage(site: Site, path: string, revisions: number): Promise<void> {
  const id = site.newId()
  for (let from = 0; from < revisions; from += BATCH) {
    await change(site, AUTHOR, async it => {
      for (let n = from; n < Math.min(revisions, from + BATCH); n++) {
        const entity = await it.entity(id)
        const document = { ...documentOf(n), hidden: false }
        it.record(
          entity === null
            ? decidePage(null, { type: 'CreatePage', id, path, document })
            : decidePage(entity, { type: 'RevisePage', document, base: entity.revision }),
        )
      }
    })
  }
}
