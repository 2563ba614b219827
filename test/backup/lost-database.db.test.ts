import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { writeWhole } from '../../src/backup/archive/file.ts'
import { writeArchive } from '../../src/backup/archive/write.ts'
import { restoreFolder } from '../../src/backup/folder/load.ts'
import { demandWhole } from '../../src/backup/folder/tell.ts'
import { writeBackupFolder } from '../../src/backup/folder/write.ts'
import type { Rm3Error } from '../../src/errors.ts'
import { readHead } from '../../src/log/read.ts'
import { openSite } from '../../src/open-site.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { assert, suite } from '../harness.ts'
import { archiveOf, loadInto } from '../support/archives.ts'
import { TEST_SITE, testDatabase } from '../support/database.ts'
import { LossyProxy, targetOf, urlThrough } from '../torture/proxy.ts'
import { type FolderSite, folderSite, someEvents } from './folder/folder-site.ts'

const GIVEN_UP_MS = 30_000
const DEADLINE_MS = 120_000

/** Goes through the database at `url` and loses it at `point` when `reached` is called with that. */
type Work = (url: string, reached: (point: string) => void) => Promise<unknown>

let open: FolderSite
let whole = ''
let archive: Buffer

const BACKUPS: Readonly<Record<string, { points: readonly string[]; of(name: string): Work }>> = {
  folder: {
    points: ['begun', 'streams', 'credentials'],
    of: name => (url, reached) => {
      const source = { url, site: TEST_SITE, stores: open.stores }
      const dir = join(open.folder, name)
      return writeBackupFolder(source, { program: 'test', dir, reached })
    },
  },
  archive: {
    points: ['begun', 'blobs-written', 'events-half'],
    of: name => (url, reached) => {
      const source = { database: { url, site: TEST_SITE }, blobs: open.stores }
      return writeWhole(join(open.folder, name), out =>
        writeArchive(source, { out, program: 'test', reached }),
      )
    },
  },
}

const LOADS: readonly { readonly points: readonly string[]; readonly work: Work }[] = [
  {
    points: ['start', 'log-proved', 'built'],
    work: async (url, reached) =>
      restoreFolder(
        { url, site: TEST_SITE },
        { dir: whole, proof: await demandWhole(whole), stores: open.stores },
        { projections: await discoverProjections(), allowUnsafe: true, reached },
      ),
  },
  {
    points: ['log-written', 'log-committed'],
    work: (url, reached) => loadInto(url, [archive], { stores: open.stores, reached }),
  },
]

const ENDED = 'a server that ends every connection'
/** What becomes of the way to the database. */
const LOSSES: Readonly<Record<string, (proxy: LossyProxy, url: string) => unknown>> = {
  'a network that swallows everything': proxy => proxy.set('silent'),
  [ENDED]: (_, url) => void endAll(url),
}

suite('a database that is lost', test => {
  test.before(async () => {
    open = await folderSite()
    await open.fill(someEvents(150, 5))
    whole = await open.backup('whole')
    archive = (await archiveOf(open.url, open.stores)).bytes
  }, DEADLINE_MS)
  test.after(() => open.close())

  for (const [title, lose] of Object.entries(LOSSES)) {
    test(
      `by ${title} ends a backup soon, and there is none`,
      () =>
        all(
          Object.entries(BACKUPS).flatMap(([kind, { points, of }]) =>
            points.map(async point => {
              const name = `${kind}-${title.length}-${point}`
              const isDone = await demandGivenUp(open.url, of(name), point, lose)
              assert.is(existsSync(join(open.folder, name)), isDone, name)
            }),
          ),
        ),
      DEADLINE_MS,
    )

    test(
      `by ${title} ends a load soon, and again it succeeds`,
      () =>
        all(
          LOADS.flatMap(({ points, work }) =>
            points.map(point => demandLoadedAgain(work, point, lose)),
          ),
        ),
      DEADLINE_MS * 2,
    )
  }
})

async function demandLoadedAgain(
  load: Work,
  point: string,
  lose: (proxy: LossyProxy, url: string) => unknown,
): Promise<void> {
  const to = await testDatabase()
  await demandGivenUp(to.url, load, point, lose)

  await load(to.url, () => {}).catch((thrown: { code?: unknown }) => {
    assert.is(thrown.code, 'SITE_NOT_EMPTY', String(thrown))
  })
  const { site, close } = await openSite({ url: to.url, site: TEST_SITE, allowUnsafe: true })
  const { position, chain } = await readHead(site.db)
  await close()
  const { chain: wanted } = await readHead(open.site.db)
  assert.is(chain, wanted, `${point}: ${position} events`)
  await to.drop()
}

/** @returns whether it was done before the loss came through */
async function demandGivenUp(
  url: string,
  work: Work,
  point: string,
  lose: (proxy: LossyProxy, url: string) => unknown,
): Promise<boolean> {
  const isGone = lose === LOSSES[ENDED]
  const proxy = await LossyProxy.listen(targetOf(url))
  const through = urlThrough(proxy.port, url)
  const reached = (at: string) => {
    if (at === point) lose(proxy, url)
  }
  try {
    reached('start')
    const end = await Promise.race([
      work(through, reached).then(
        () => 'done',
        thrown => thrown as Rm3Error,
      ),
      setTimeout(GIVEN_UP_MS, 'it still waits', { ref: false }),
    ])
    if (end === 'done' && isGone) return true
    if (typeof end === 'string') throw new Error(`${point}: ${end}`)
    assert.is(end.code, 'UNAVAILABLE', `${point}: ${end.stack}`)
    return false
  } finally {
    await proxy.close()
  }
}

async function endAll(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like 'rm3%'`)
  await client.end()
}

async function all(works: readonly Promise<void>[]): Promise<void> {
  await Promise.all(works)
}
