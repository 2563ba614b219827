import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyArchive } from '../../src/backup/archive/verify.ts'
import { demandWhole } from '../../src/backup/folder/tell.ts'
import { writeBackupFolder } from '../../src/backup/folder/write.ts'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { assert, suite } from '../harness.ts'
import { archiveOf, NO_KEYS, piecesOf, tempStores } from '../support/archives.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'

const WRITERS = 8
const ROUNDS = 4
const DEADLINE_MS = 120_000
const CHAIN_AT = `select encode(chain, 'hex') as chain from log where position = $1::bigint`

let open: TestSite
let stores: Awaited<ReturnType<typeof tempStores>>
let folder = ''
/** Of the last save that was answered. */
let acknowledged = 0
let made = 0

suite('a backup beside eight who write', test => {
  test.before(async () => {
    open = await testSite()
    stores = await tempStores()
    folder = mkdtempSync(join(tmpdir(), 'rm3-beside-'))
    await write(AbortSignal.abort())
  })
  test.after(async () => {
    await open.close()
    await stores.remove()
    rmSync(folder, { recursive: true })
  })

  test(
    'is the log up to one position, with all that was answered before it began',
    async () => {
      const stop = new AbortController()
      const writing = Array.from({ length: WRITERS }, () => write(stop.signal))
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const before = acknowledged
          const dir = join(folder, String(round))
          await writeBackupFolder(
            { url: open.url, site: TEST_SITE, stores },
            { dir, program: 'test' },
          )
          const whole = (await demandWhole(dir)).head
          const { bytes } = await archiveOf(open.url, stores)
          const archive = (await verifyArchive(piecesOf(bytes), NO_KEYS)).head

          for (const head of [whole, archive]) {
            assert.ok(head !== null && head.position >= before)
            assert.is(head?.chain, await chainAt(head?.position ?? 0))
          }
        }
      } finally {
        stop.abort()
        await Promise.all(writing)
      }
      assert.ok(acknowledged > ROUNDS * WRITERS)
    },
    DEADLINE_MS,
  )
})

async function write(signal: AbortSignal): Promise<void> {
  do {
    const path = `wh.p${made++}`
    const summary = { title: path }
    const document = { proto: 'base', hidden: false, summary, data: {}, tags: {} }
    const { position } = await change(open.site, AS_ROOT, it => createPage(it, { path, document }))
    acknowledged = Math.max(acknowledged, position ?? 0)
  } while (!signal.aborted)
}

async function chainAt(position: number): Promise<string> {
  const [row] = await open.site.db.rows<{ chain: string }>(CHAIN_AT, [position])
  return row?.chain ?? ''
}
