import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { type FilePoint, writeWhole } from '../../../src/backup/archive/file.ts'
import { verifyArchive } from '../../../src/backup/archive/verify.ts'
import { type ArchivePoint, writeArchive } from '../../../src/backup/archive/write.ts'
import { type BlobStores, openBlobStore, putBlob } from '../../../src/blobs/store.ts'
import { attachBlob } from '../../../src/commands/blobs.ts'
import { change } from '../../../src/commands/change.ts'
import { createPage } from '../../../src/commands/pages.ts'
import { readHead } from '../../../src/log/read.ts'
import { openSite } from '../../../src/open-site.ts'
import { PACKAGE_ROOT } from '../../../src/package-root.ts'
import { openBulk } from '../../../src/pg/bulk.ts'
import { assert, suite } from '../../harness.ts'
import { archiveOf, loadInto, NO_KEYS, piecesOf } from '../../support/archives.ts'
import {
  AS_ROOT,
  TEST_SITE,
  type TestSite,
  testDatabase,
  testSite,
} from '../../support/database.ts'
import { refused } from '../../support/refused.ts'
import { randomOf } from '../../torture/random.ts'

const POINTS: readonly (ArchivePoint | FilePoint)[] = [
  ...(['opened', 'begun', 'blobs-written', 'events-half', 'events-written', 'ended'] as const),
  ...(['written', 'synced', 'linked', 'kept'] as const),
]
/** From here on the file has its name. */
const NAMED = ['linked', 'kept']
/** Of 512 or 1024 bytes, as the shell has them: from nothing to nearly all of the archive. */
const LIMITS = [0, 1, 100, 600]
const DEADLINE_MS = 120_000

let from: TestSite
let folder: string
let stores: BlobStores

suite('an archive whose writing is broken off', test => {
  test.before(async () => {
    from = await testSite()
    folder = mkdtempSync(join(tmpdir(), 'rm3-crash-'))
    stores = {
      public: await openBlobStore(join(folder, 'public')),
      private: await openBlobStore(join(folder, 'private')),
    }
    await writeSite()
  })
  test.after(async () => {
    await from.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test(
    'is there whole or not at all, wherever the process was killed, and can be written again',
    async () => {
      for (const point of POINTS) {
        const file = join(folder, `${point}.rm3`)
        await killedAt(file, point)

        assert.is(existsSync(file), NAMED.includes(point), point)
        if (existsSync(file)) {
          assert.is((await refused(written(file))).code, 'TARGET_EXISTS', point)
        } else await written(file)
        await verifyArchive(createReadStream(file), NO_KEYS)
        const left = readdirSync(folder).filter(
          name => name.startsWith(point) && name !== `${point}.rm3`,
        )
        assert.equal(left.length, point === 'linked' ? left.length : 0, left.join(' '))
      }
    },
    DEADLINE_MS,
  )

  test(
    'leaves nothing where there is no space, and the command says so with 28',
    async () => {
      for (const limit of LIMITS) {
        const { code, stderr } = await limitedTo(limit, ['--archive', 'full.rm3'])

        assert.is(code, 28, stderr)
        assert.match(stderr, /DISK_FULL/)
        assert.equal(
          readdirSync(folder).filter(name => name.startsWith('full')),
          [],
        )
      }
    },
    DEADLINE_MS,
  )

  test('is given up when the database is lost, or who takes it goes away', async () => {
    const file = join(folder, 'lost.rm3')
    let writes = 0
    const lost = writeWhole(file, out => {
      const through = new Writable({
        write: (bytes, _, done) => {
          writes++
          const next = () => out.write(bytes, done)
          if (writes === 3) void endConnections(from.url).then(next)
          else next()
        },
      })
      return writeArchive(
        { database: { url: from.url, site: TEST_SITE }, blobs: stores },
        { out: through, program: 'test' },
      )
    })
    assert.is((await refused(lost)).code, 'UNAVAILABLE')
    assert.equal(
      readdirSync(folder).filter(name => name.startsWith('lost')),
      [],
    )

    const gone = new Writable({ write: (_, __, done) => done(new Error('nobody reads')) })
    const error = await refused(archiveOf(from.url, stores, { out: gone }))
    assert.is(error.message, 'nobody reads')
  })

  test(
    'a load that loses the database leaves the site empty, and succeeds again',
    async () => {
      const to = await testDatabase()
      const { bytes } = await archiveOf(from.url, stores)
      const cutting = (async function* () {
        let taken = 0
        let isCut = false
        for await (const piece of piecesOf(bytes)) {
          if (!isCut && taken > bytes.length * 0.8) {
            isCut = true
            await endConnections(to.url)
          }
          taken += piece.length
          yield piece
        }
      })()

      const error = await refused(loadInto(to.url, [cutting], { stores }))

      assert.is(error.code, 'UNAVAILABLE')
      const { site, close } = await openSite({ url: to.url, site: TEST_SITE, allowUnsafe: true })
      assert.is((await readHead(site.db)).position, 0)
      await close()
      const { restored } = await loadInto(to.url, [bytes], { stores })
      assert.is(restored.head.chain, (await readHead(from.site.db)).chain)
      await to.drop()
    },
    DEADLINE_MS,
  )
})

/** Pages of several frames, and a blob of several. */
async function writeSite(): Promise<void> {
  const random = randomOf(3)
  await change(from.site, AS_ROOT, async it => {
    for (let n = 0; n < 12; n++) {
      const source = Array.from({ length: 3_000 }, () => random.uuid()).join('\n')
      const document = { proto: 'base', hidden: false, summary: {}, data: { source }, tags: {} }
      await createPage(it, { path: `wh.p${n}`, document })
    }
  })
  const bytes = Buffer.from(Array.from({ length: 1_100_000 }, () => random.below(256)))
  const stored = await putBlob(stores.public, piecesOf(bytes))
  await change(from.site, AS_ROOT, it =>
    attachBlob(it, 'wh.p1', { ...stored, name: 'a.bin', category: 'public' }),
  )
}

function written(file: string) {
  return writeWhole(file, out =>
    writeArchive(
      { database: { url: from.url, site: TEST_SITE }, blobs: stores },
      { out, program: 'test' },
    ),
  )
}

async function killedAt(file: string, point: string): Promise<void> {
  const child = fork(
    join(import.meta.dirname, 'crash-process.js'),
    [from.url, folder, file, point],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  assert.is(signal, 'SIGKILL', `it was not killed at ${point}`)
}

/** `rm3backup` where no file may be larger than a limit. */
async function limitedTo(
  limit: number,
  args: readonly string[],
): Promise<{ code: number | null; stderr: string }> {
  const program = join(PACKAGE_ROOT, 'dist/src/cli/rm3backup.js')
  const child = spawn(
    'sh',
    ['-c', `ulimit -f ${limit}; exec "$@"`, 'sh', process.execPath, program, ...args],
    {
      cwd: folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        RM3_PG: from.url,
        RM3_DATA: join(folder, 'data'),
        RM3_LOCAL_BLOBS: stores.public.folder,
        RM3_PRIVATE_BLOBS: stores.private.folder,
        RM3_DANGER_UNSAFE_DATABASE: 'true',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let stderr = ''
  child.stderr.on('data', text => {
    stderr += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr }
}

/** Ends all connections of ours that work on whole tables. */
async function endConnections(url: string): Promise<void> {
  const { db, close } = await openBulk({ url, site: TEST_SITE })
  try {
    await db.rows(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'rm3 bulk' and pid <> pg_backend_pid()`,
    )
  } finally {
    await close()
  }
}
