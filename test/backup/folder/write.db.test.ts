import { fork } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { verifyFolder } from '../../../src/backup/folder/verify.ts'
import type { FolderStep } from '../../../src/backup/folder/write.ts'
import { change } from '../../../src/commands/change.ts'
import { createPage } from '../../../src/commands/pages.ts'
import { readHead } from '../../../src/log/read.ts'
import { assert, suite } from '../../harness.ts'
import { AS_ROOT } from '../../support/database.ts'
import { refused } from '../../support/refused.ts'
import { contentsOf, type FolderSite, folderSite, someEvents } from './folder-site.ts'

const STEPS: readonly FolderStep[] = ['begun', 'streams', 'credentials', 'blobs', 'catalog']

let open: FolderSite

suite('a backup into a folder', test => {
  test.before(async () => {
    open = await folderSite()
    await open.fill(someEvents(400))
  })
  test.after(() => open.close())

  test('holds every event, and is whole', async () => {
    const { position, chain } = await readHead(open.site.db)

    const dir = await open.backup('whole')

    const proof = await verifyFolder(dir)
    assert.equal(proof.findings, [])
    assert.is(proof.head?.position, position)
    assert.is(proof.head?.chain, chain)
    assert.is(proof.counts?.events, position)
    assert.ok((proof.counts?.deleted ?? 0) + (proof.counts?.drafts ?? 0) > 0)
    assert.ok((proof.counts?.blobs ?? 0) > 0)
    assert.ok((proof.counts?.credentials ?? 0) > 0)
  })

  test('is for the eyes of its owner', async () => {
    const dir = await open.backup('modes')

    assert.is(statSync(dir).mode & 0o777, 0o700)
    for (const name of readdirSync(dir)) assert.is(statSync(join(dir, name)).mode & 0o777, 0o600)
  })

  test('is the same for the same position, also when the site has gone on', async () => {
    const { position } = await readHead(open.site.db)
    const first = await open.backup('first')
    await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh.later', document: DOCUMENT }))

    const second = await open.backup('second', { position })

    const names = readdirSync(first)
    assert.equal(readdirSync(second).sort(), [...names].sort())
    assert.equal(await contentsOf(second, names), await contentsOf(first, names))
  })

  test('of a subtree and of the present are whole too', async () => {
    const subtree = await open.backup('subtree', { path: 'wh.users' })
    const present = await open.backup('present', { snapshot: true })

    assert.equal((await verifyFolder(subtree)).findings, [])
    assert.equal((await verifyFolder(present)).findings, [])
    assert.is(existsSync(join(subtree, 'permissions.json')), false)
    assert.not.match(readFileSync(join(present, 'wh.later-data.json'), 'utf8'), 'history')
  })

  test('is refused where anything is', async () => {
    await mkdir(join(open.folder, 'folder'))
    writeFileSync(join(open.folder, 'file'), '')
    symlinkSync('/nowhere', join(open.folder, 'link'))
    for (const name of ['folder', 'file', 'link']) {
      const before = lstatSync(join(open.folder, name))
      for (const resume of [false, true]) {
        assert.is((await refused(open.backup(name, { resume }))).code, 'TARGET_EXISTS', name)
      }
      assert.equal(lstatSync(join(open.folder, name)), before)
      assert.is(existsSync(join(open.folder, `${name}.partial`)), false)
    }
    assert.is((await refused(open.backup('not/there'))).code, 'SOURCE_NOT_FOUND')
  })

  test('is not written through a link that stands where it is on its way', async () => {
    const elsewhere = join(open.folder, 'elsewhere')
    mkdirSync(elsewhere)
    for (const [name, target] of [
      ['to-folder', elsewhere],
      ['to-nothing', join(elsewhere, 'new')],
    ] as const) {
      symlinkSync(target, join(open.folder, `${name}.partial`))
      assert.is((await refused(open.backup(name))).code, 'TARGET_EXISTS')
      assert.is((await refused(open.backup(name, { resume: true }))).code, 'SOURCE_NOT_FOUND')
    }
    assert.equal(readdirSync(elsewhere), [])
  })

  test('goes into the folder that a link on the way to it leads to', async () => {
    const elsewhere = join(open.folder, 'away')
    mkdirSync(elsewhere)
    symlinkSync(elsewhere, join(open.folder, 'parent'))

    await open.backup('parent/linked', { snapshot: true })

    assert.equal(readdirSync(elsewhere), ['linked'])
    assert.equal((await verifyFolder(join(elsewhere, 'linked'))).findings, [])
  })

  test('of twenty at a time one succeeds, and the others leave nothing', async () => {
    const runs = await Promise.allSettled(Array.from({ length: 20 }, () => open.backup('race')))

    const failed = runs.flatMap(run => (run.status === 'rejected' ? [run.reason.code] : []))
    assert.equal(failed, Array(19).fill('TARGET_EXISTS'))
    assert.equal((await verifyFolder(join(open.folder, 'race'))).findings, [])
    assert.is(existsSync(join(open.folder, 'race.partial')), false)
  })

  for (const step of STEPS) {
    test(`killed at "${step}" leaves no backup, and is gone on with`, async () => {
      const dir = join(open.folder, `killed-${step}`)
      await killedAt(dir, step)
      assert.is(existsSync(dir), false)
      assert.is((await refused(open.backup(`killed-${step}`))).code, 'TARGET_EXISTS')
      const { position } = await readHead(open.site.db)
      const path = `wh.after_${step}`
      await change(open.site, AS_ROOT, it => createPage(it, { path, document: DOCUMENT }))

      await open.backup(`killed-${step}`, { resume: true })

      const proof = await verifyFolder(dir)
      assert.equal(proof.findings, [])
      assert.is(proof.head?.position, position)
    })
  }

  test('is gone on with from a file that was half written', async () => {
    const dir = join(open.folder, 'half')
    await killedAt(dir, 'blobs')
    const [name = ''] = readdirSync(`${dir}.partial`).filter(it => it.endsWith('-data.json'))
    writeFileSync(join(`${dir}.partial`, name), '{')

    await open.backup('half', { resume: true })

    assert.equal((await verifyFolder(dir)).findings, [])
  })

  test('is gone on with from a link to what it should hold, which is not kept', async () => {
    const dir = join(open.folder, 'resumed-link')
    await killedAt(dir, 'blobs')
    const [name = ''] = readdirSync(`${dir}.partial`).filter(it => it.endsWith('-data.json'))
    renameSync(join(`${dir}.partial`, name), join(open.folder, 'linked-file'))
    symlinkSync(join(open.folder, 'linked-file'), join(`${dir}.partial`, name))

    await open.backup('resumed-link', { resume: true })

    assert.equal((await verifyFolder(dir)).findings, [])
  })

  test('cannot be gone on with as another one', async () => {
    const dir = join(open.folder, 'other')
    await killedAt(dir, 'streams')

    const error = await refused(open.backup('other', { resume: true, path: 'wh.a' }))

    assert.is(error.code, 'TARGET_EXISTS')
    assert.is((await refused(open.backup('nothing', { resume: true }))).code, 'SOURCE_NOT_FOUND')
  })

  test('with a blob that cannot be read is refused, naming it, or says so', async () => {
    const folder = join(open.folder, 'public')
    const [blob = ''] = readdirSync(folder, { recursive: true })
      .map(String)
      .filter(it => it.length > 64)
    const place = join(folder, blob)
    renameSync(place, join(open.folder, 'aside'))
    mkdirSync(place)

    const error = await refused(open.backup('unread'))
    const dir = await open.backup('partly', { allowIncomplete: true })

    assert.is(error.code, 'BACKUP_INCOMPLETE')
    assert.match(error.message, new RegExp(`cannot be read .${place}: EISDIR`))
    const proof = await verifyFolder(dir)
    assert.equal(proof.findings, [])
    assert.equal([...proof.missingBlobs], [blob.slice(3)])
    rmSync(place, { recursive: true })
    renameSync(join(open.folder, 'aside'), place)
  })

  test('without the bytes of a blob is refused, or says so', async () => {
    await rm(join(open.folder, 'public'), { recursive: true })
    await mkdir(join(open.folder, 'public'))

    const error = await refused(open.backup('lacking'))
    const dir = await open.backup('incomplete', { allowIncomplete: true })

    assert.is(error.code, 'BACKUP_INCOMPLETE')
    const proof = await verifyFolder(dir)
    assert.equal(proof.findings, [])
    assert.ok(proof.missingBlobs.length > 0)
  })
})

const DOCUMENT = { proto: 'base', hidden: false, summary: { title: 'x' }, data: {}, tags: {} }

/** Backs up in a process of its own that is killed at a step. */
async function killedAt(dir: string, step: FolderStep): Promise<void> {
  const child = fork(
    join(import.meta.dirname, 'backup-process.js'),
    [open.url, open.folder, dir, step],
    { stdio: 'inherit' },
  )
  const signal = await new Promise(resolve => child.on('exit', (_, by) => resolve(by)))
  assert.is(signal, 'SIGKILL', `it was not killed at ${step}`)
}
