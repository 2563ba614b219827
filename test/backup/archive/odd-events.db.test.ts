import type { RawEvent } from '../../../src/log/raw.ts'
import { assert, suite } from '../../harness.ts'
import { archiveOf, eventsIn, loadInto, withEvents } from '../../support/archives.ts'
import { testDatabase } from '../../support/database.ts'
import { type FolderSite, folderSite, someEvents } from '../folder/folder-site.ts'

type Fields = Readonly<Record<string, unknown>>

const DEADLINE_MS = 180_000
const NOBODY = '00000000-0000-4000-8000-0000000009ff'
const MOVED = 'wh.moved'

let open: FolderSite
let whole: Buffer
let events: readonly RawEvent[]

/** What is said of things that are not there, or lie ahead: nobody wrote it so, but it hurts nobody. Or it is refused: either is right. */
const ODD: Readonly<Record<string, Readonly<Record<string, Fields>>>> = {
  PageRevised: {
    'on a base that comes later': { base: 2 ** 31 - 1 },
    'on itself': { base: 3 },
    'that restores what is not there': { restored: 2 ** 31 - 1 },
    'with number 0': { number: 0 },
  },
  PagePublished: {
    'of a revision that is not there': { revision: 2 ** 31 - 1 },
    'of revision 0': { revision: 0 },
    'of an id that is not there': { revisionId: NOBODY },
    'of a schedule that is not there': { schedule: NOBODY },
  },
  PublishScheduled: {
    'of a revision that is not there': { revision: 2 ** 31 - 1 },
    'in the year 1970': { at: '1970-01-01T00:00:00.000Z' },
    'in the year 9999': { at: '9999-12-31T23:59:59.999Z' },
  },
  PageMoved: {
    'from where it is not': { from: 'wh.nowhere' },
    'into itself': { to: `${MOVED}.${'a.'.repeat(20)}b` },
    'to where it is': { from: MOVED, to: MOVED },
    'to the root': { to: 'wh' },
    'out of the site': { to: 'xx.yy' },
  },
  PageDeleted: {
    'with a redirect to itself': { redirect: 'wh' },
    'with a redirect that is a script': { redirect: 'javascript:alert(1)' },
    'with a redirect that breaks a line': { redirect: '/a\r\nSet-Cookie: a=b' },
  },
  BlobAttached: {
    'with a name that is a path': { name: '../../etc/passwd' },
    'with a name of two lines': { name: 'a\r\nSet-Cookie: b' },
    'with a media type of two lines': { mediaType: 'text/html\r\nSet-Cookie: b' },
  },
  BlobDetached: { 'of a file that is not there': { name: 'nothing' } },
  CredentialSet: { 'that ended in 1970': { expires: '1970-01-01T00:00:00.000Z' } },
  RoleDenied: { 'that was not granted': { pattern: 'wh.nowhere' } },
  SettingChanged: {
    'to what no setting is': { key: 'site.timezone', value: { a: [1] } },
    'to a feed of nonsense': { key: 'site.title', value: ['<script>'] },
  },
}

suite('events that nobody wrote so', test => {
  test.before(async () => {
    open = await folderSite()
    await open.fill(someEvents(400, 5))
    whole = (await archiveOf(open.url, open.stores)).bytes
    events = await eventsIn(whole)
  }, DEADLINE_MS)
  test.after(() => open.close())

  for (const [type, cases] of Object.entries(ODD)) {
    test(
      `${type}: are refused, or do no harm (${Object.keys(cases).join(', ')})`,
      async () => {
        for (const [title, more] of Object.entries(cases)) {
          const index = events.findIndex(event => event.type === type && event.data !== null)
          const event = events[index] as RawEvent
          assert.ok(event !== undefined, `there is no ${type}`)
          const data = JSON.stringify({ ...(JSON.parse(event.data ?? '{}') as Fields), ...more })
          await demandHarmless(events.with(index, { ...event, data }), title)
        }
      },
      DEADLINE_MS,
    )
  }
})

/** A load looks that every row of every projection is there as it was folded. */
async function demandHarmless(others: readonly RawEvent[], title: string): Promise<void> {
  const to = await testDatabase()
  try {
    const said = await loadInto(to.url, [withEvents(whole, others)], { stores: open.stores }).then(
      () => 'loaded',
      (thrown: { code?: unknown; stack?: string }) => thrown.code ?? thrown.stack,
    )
    assert.ok(said === 'loaded' || said === 'BACKUP_DAMAGED', `${title}: ${said}`)
  } finally {
    await to.drop()
  }
}
