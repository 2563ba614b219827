/** `writer-process URL NUMBER`: makes pages, saves and reads them until it is told to stop; then tells what it did. */
import { setTimeout as sleep } from 'node:timers/promises'
import { findPageAndHead } from '../../projections/pages.ts'
import { change } from '../../src/commands/change.ts'
import { createPage, movePage, revisePage } from '../../src/commands/pages.ts'
import { openSite } from '../../src/open-site.ts'
import { AS_ROOT, TEST_SITE } from '../support/database.ts'

const PAGES = 5
/** The log stays of a length that is rebuilt in a moment. */
const PAUSE_MS = 20
const [url = '', number = '0'] = process.argv.slice(2)
const { site, close } = await openSite({
  url,
  site: TEST_SITE,
  allowUnsafe: true,
  connectionsMax: 2,
})
const failed: string[] = []
let saves = 0
let stopped = false
process.once('message', () => {
  stopped = true
})

const textOf = (turn: number) => ({
  proto: 'base',
  hidden: false,
  summary: { title: `Turn ${turn}`, abstract: '' },
  data: { posting: { format: 'markdown', source: `Saved ${turn}.` } },
  tags: { about: [{ '@id': `topic${turn % 5}`, objClass: 'tag' }] },
})

/** Each page moves to and fro between two places, so that rows take each other's. */
async function turn(count: number): Promise<void> {
  const home = `wh.w${number}`
  const paths = [`${home}.p${count % PAGES}`, `${home}.q${count % PAGES}`] as const
  const places = await Promise.all(paths.map(path => findPageAndHead(site.db, path)))
  const index = places.findIndex(place => place.page !== null)
  const at = paths[index]
  const seen = places[index]?.page?.sinceId
  if (at === undefined || seen === undefined) {
    await change(site, AS_ROOT, it => createPage(it, { path: paths[0], document: textOf(count) }))
    return
  }
  await change(site, AS_ROOT, it =>
    revisePage(it, at, { ifMatch: seen, edit: () => textOf(count) }),
  )
  const to = at === paths[0] ? paths[1] : paths[0]
  if (count % 3 === 0) await change(site, AS_ROOT, it => movePage(it, at, to))
  const { page } = await findPageAndHead(site.db, count % 3 === 0 ? to : at)
  if (page === null) failed.push(`the page saved at ${at} is not there`)
}

for (let count = 0; !stopped; count++) {
  try {
    await turn(count)
    saves++
  } catch (thrown) {
    failed.push(String(thrown))
  }
  if (count === PAGES) process.send?.('writing')
  await sleep(PAUSE_MS)
}
await close()
process.send?.({ saves, failed: failed.slice(0, 10) })
process.disconnect()
