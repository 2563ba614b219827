import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restoreFolder } from '../../src/backup/folder/load.ts'
import { demandWhole } from '../../src/backup/folder/tell.ts'
import { writeBackupFolder } from '../../src/backup/folder/write.ts'
import { loadGit } from '../../src/backup/git/load.ts'
import { writeGit } from '../../src/backup/git/write.ts'
import { putBlob } from '../../src/blobs/store.ts'
import { addUser } from '../../src/commands/accounts.ts'
import { attachBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { assignUser, permitRole, setSetting } from '../../src/commands/rights.ts'
import { readHead } from '../../src/log/read.ts'
import { openSite } from '../../src/open-site.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { assert, suite } from '../harness.ts'
import { archiveOf, loadInto, piecesOf, tempStores } from '../support/archives.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testDatabase, testSite } from '../support/database.ts'

/** What every object has, in the spelling that paths allow too. */
const NAMES = ['constructor', 'prototype', 'tostring', 'hasownproperty', 'valueof']
const KEYS = [...NAMES, 'toString', 'hasOwnProperty', '__defineGetter__', 'isPrototypeOf']
const DEADLINE_MS = 120_000

let from: TestSite
let stores: Awaited<ReturnType<typeof tempStores>>
let folder = ''
let members: string[]

suite('names that every object has', test => {
  test.before(async () => {
    members = Object.getOwnPropertyNames(Object.prototype)
    from = await testSite()
    stores = await tempStores()
    folder = mkdtempSync(join(tmpdir(), 'rm3-names-'))
    await fill()
  }, DEADLINE_MS)
  test.after(async () => {
    assert.equal(Object.getOwnPropertyNames(Object.prototype), members)
    await from.close()
    await stores.remove()
    rmSync(folder, { recursive: true })
  })

  test(
    'come back through a folder, and that is the same again',
    async () => {
      const to = await testDatabase()
      const dir = join(folder, 'whole')
      await writeBackupFolder({ url: from.url, site: TEST_SITE, stores }, { dir, program: 'test' })
      await restoreFolder(
        { url: to.url, site: TEST_SITE },
        { dir, proof: await demandWhole(dir), stores },
        { projections: await discoverProjections(), allowUnsafe: true },
      )

      await demandSame(to.url)
      await to.drop()
    },
    DEADLINE_MS,
  )

  test(
    'come back through an archive',
    async () => {
      const to = await testDatabase()
      await loadInto(to.url, [(await archiveOf(from.url, stores)).bytes], { stores })

      await demandSame(to.url)
      await to.drop()
    },
    DEADLINE_MS,
  )

  test(
    'come back through a repository',
    async () => {
      const to = await testSite()
      const dir = join(folder, 'git')
      await writeGit(from.site.db, stores, { dir })
      await loadGit(to.site, { source: dir, stores })

      assert.is(await pagesIn(to), await pagesIn(from))
      await to.close()
    },
    DEADLINE_MS,
  )
})

async function fill(): Promise<void> {
  const blob = await putBlob(stores.public, piecesOf(Buffer.from('bytes')))
  await make('wh')
  for (const name of NAMES) {
    await make(`wh.${name}`)
    await change(from.site, AS_ROOT, it =>
      permitRole(it, { role: name, permission: name, pattern: `wh.${name}.*` }),
    )
    await change(from.site, AS_ROOT, async it => {
      const { id } = await addUser(it, { login: name, fullName: name })
      await assignUser(it, id, name)
    })
    await change(from.site, AS_ROOT, it => setSetting(it, name, { [name]: name }))
    await change(from.site, AS_ROOT, it =>
      attachBlob(it, `wh.${name}`, { ...blob, name, category: 'public' }),
    )
  }
}

async function make(path: string): Promise<void> {
  const data = Object.fromEntries(KEYS.map(key => [key, { [key]: [key] }]))
  const tags = Object.fromEntries(KEYS.map(key => [key, [{ '@id': key, objClass: key }]]))
  const document = {
    proto: 'constructor',
    hidden: false,
    summary: { title: path, ...data },
    data,
    tags,
  }
  await change(from.site, AS_ROOT, it => createPage(it, { path, document }))
}

async function demandSame(url: string): Promise<void> {
  const opened = await openSite({ url, site: TEST_SITE, allowUnsafe: true })
  try {
    assert.is((await readHead(opened.site.db)).chain, (await readHead(from.site.db)).chain)
    assert.is(await pagesIn(opened), await pagesIn(from))
  } finally {
    await opened.close()
  }
}

const PAGES = 'select path, proto, summary, data, tags from pages order by path'

/** As text: who compares objects looks at their constructors. */
async function pagesIn({ site }: Pick<TestSite, 'site'>): Promise<string> {
  return JSON.stringify(await site.db.rows(PAGES), null, 1)
}
