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

/** How many backups: `RM3_TEST_ROUNDS=200`. A site grows with each, so a few of them are of one. */
const ROUNDS = Number(process.env['RM3_TEST_ROUNDS'] ?? 4)
const ROUNDS_OF_ONE = 4
const WRITERS = 8
const DEADLINE_MS = 120_000 + ROUNDS * 30_000
const EVENTS_OF_ONE = 2
const CHAIN_AT = `select encode(chain, 'hex') as chain from log where position = $1::bigint`

let open: TestSite
let stores: Awaited<ReturnType<typeof tempStores>>
/** Of the last save that was answered. */
let acknowledged = 0
let made = 0

suite('a backup beside eight who write', test => {
  test(
    `is the log up to one position, with all that was answered before it began, ${ROUNDS} times`,
    async () => {
      for (let round = 0; round < ROUNDS; round += ROUNDS_OF_ONE) {
        await backUpBesideWriters(Math.min(ROUNDS_OF_ONE, ROUNDS - round))
      }
    },
    DEADLINE_MS,
  )
})

async function backUpBesideWriters(rounds: number): Promise<void> {
  open = await testSite()
  stores = await tempStores()
  const folder = mkdtempSync(join(tmpdir(), 'rm3-beside-'))
  acknowledged = 0
  await write(AbortSignal.abort())
  const stop = new AbortController()
  const writing = Array.from({ length: WRITERS }, () => write(stop.signal))
  try {
    for (let round = 0; round < rounds; round++) await backUp(join(folder, String(round)))
  } finally {
    stop.abort()
    await Promise.all(writing)
  }
  assert.ok(acknowledged > rounds * WRITERS)
  await open.close()
  await stores.remove()
  rmSync(folder, { recursive: true })
}

async function backUp(dir: string): Promise<void> {
  const before = acknowledged
  const source = { url: open.url, site: TEST_SITE, stores }
  await writeBackupFolder(source, { dir, program: 'test' })
  const folder = await demandWhole(dir)
  const { bytes } = await archiveOf(open.url, stores)
  const archive = await verifyArchive(piecesOf(bytes), NO_KEYS)

  for (const { head } of [folder, archive]) {
    assert.ok(head !== null && head.position >= before)
    assert.is(head?.chain, await chainAt(head?.position ?? 0))
    // a page is never there without the one that was saved with it
    assert.is((head?.position ?? 0) % EVENTS_OF_ONE, 0)
  }
  assert.is(folder.counts?.live, folder.head?.position)
}

/** Saves pages, each with one below it, until it is told to stop. */
async function write(signal: AbortSignal): Promise<void> {
  do {
    const path = `wh.p${made++}`
    const summary = { title: path }
    const document = { proto: 'base', hidden: false, summary, data: {}, tags: {} }
    const { position } = await change(open.site, AS_ROOT, async it => {
      await createPage(it, { path, document })
      await createPage(it, { path: `${path}.below`, document })
    })
    acknowledged = Math.max(acknowledged, position ?? 0)
  } while (!signal.aborted)
}

async function chainAt(position: number): Promise<string> {
  const [row] = await open.site.db.rows<{ chain: string }>(CHAIN_AT, [position])
  return row?.chain ?? ''
}
