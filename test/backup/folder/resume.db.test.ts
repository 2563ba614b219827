import { fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { verifyFolder } from '../../../src/backup/folder/verify.ts'
import { putBlob } from '../../../src/blobs/store.ts'
import { attachBlob } from '../../../src/commands/blobs.ts'
import { change } from '../../../src/commands/change.ts'
import { createPage } from '../../../src/commands/pages.ts'
import { assert, suite } from '../../harness.ts'
import { piecesOf } from '../../support/archives.ts'
import { AS_ROOT } from '../../support/database.ts'
import { randomOf } from '../../torture/random.ts'
import { contentsOf, type FolderSite, folderSite } from './folder-site.ts'

/** How often a backup is killed: `RM3_TEST_KILLS=300`. */
const KILLS = Number(process.env['RM3_TEST_KILLS'] ?? 6)
const DEADLINE_MS = 60_000 + KILLS * 20_000
const PAGES = 60
const FILES = 20
const FILE_BYTES = 1_000_000
const DOCUMENT = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }

let open: FolderSite

suite('a backup that is killed anywhere', test => {
  test.before(async () => {
    open = await folderSite()
    await change(open.site, AS_ROOT, async it => {
      for (let page = 0; page < PAGES; page++) {
        await createPage(it, { path: `wh.p${page}`, document: DOCUMENT })
      }
    })
    for (let file = 0; file < FILES; file++) {
      const stored = await putBlob(open.stores.public, piecesOf(randomBytes(FILE_BYTES)))
      await change(open.site, AS_ROOT, it =>
        attachBlob(it, `wh.p${file}`, { ...stored, name: 'a.bin', category: 'public' }),
      )
    }
  })
  test.after(() => open.close())

  test(
    `is gone on with to the same end, and nothing that is there is written again, ${KILLS} times`,
    async () => {
      const whole = await open.backup('whole')
      const names = readdirSync(whole)
      const sums = new Map(names.map(name => [name, sumOf(join(whole, name))]))
      const random = randomOf(12)
      let halves = 0
      for (let kill = 0; kill < KILLS; kill++) {
        const dir = join(open.folder, 'killed')
        await killedWith(dir, 1 + random.below(names.length + 1))
        const left = filesIn(`${dir}.partial`)
        const isWhole = ([name]: readonly [string, number]) =>
          sums.get(name) === sumOf(join(`${dir}.partial`, name))

        const done = left.filter(isWhole)
        halves += left.length - done.length
        await open.backup('killed', { resume: true })

        assert.equal((await verifyFolder(dir)).findings, [])
        assert.equal(await contentsOf(dir, readdirSync(dir)), await contentsOf(whole, names))
        const after = new Map(filesIn(dir))
        const again = done.filter(([name, inode]) => after.get(name) !== inode)
        assert.equal(again, [], `${done.length} were whole`)
        rmSync(dir, { recursive: true })
      }
      // what is redone: the catalog, and what was on its way, which is some files
      assert.ok(halves <= KILLS * 18, String(halves))
    },
    DEADLINE_MS,
  )
})

/** Kills a backup when so many files are there, or when it comes to its end before. */
async function killedWith(dir: string, files: number): Promise<void> {
  for (;;) {
    const child = fork(
      join(import.meta.dirname, 'backup-process.js'),
      [open.url, open.folder, dir, 'catalog'],
      { stdio: 'inherit' },
    )
    const ended = once(child, 'exit')
    let isOver = false
    void ended.then(() => {
      isOver = true
    })
    while (!isOver && filesIn(`${dir}.partial`).length < files) await setImmediate()
    child.kill('SIGKILL')
    await ended
    // one that was killed before it began has left nothing to go on with
    if (lstatSync(`${dir}.partial`, { throwIfNoEntry: false }) !== undefined) return
  }
}

function filesIn(dir: string): [name: string, inode: number][] {
  if (lstatSync(dir, { throwIfNoEntry: false }) === undefined) return []
  return readdirSync(dir).flatMap(name => {
    const found = lstatSync(join(dir, name), { throwIfNoEntry: false })
    return found === undefined ? [] : [[name, found.ino]]
  })
}

function sumOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
