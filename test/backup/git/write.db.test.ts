import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { findIdAtPath } from '../../../projections/pages.ts'
import { ROOT_VIEWER } from '../../../src/access/viewer.ts'
import { loadGit } from '../../../src/backup/git/load.ts'
import { writeGit } from '../../../src/backup/git/write.ts'
import { type BlobStores, putBlob } from '../../../src/blobs/store.ts'
import { addUser } from '../../../src/commands/accounts.ts'
import { attachBlob, detachBlob } from '../../../src/commands/blobs.ts'
import { type Author, type Change, change } from '../../../src/commands/change.ts'
import {
  createPage,
  deletePage,
  movePage,
  publishPage,
  restoreRevision,
  revisePage,
  undeletePage,
} from '../../../src/commands/pages.ts'
import type { Document } from '../../../src/content/document.ts'
import { makeDemo } from '../../../src/demo/make-demo.ts'
import { readPage } from '../../../src/queries/read-page.ts'
import { readWholeHistory } from '../../../src/queries/whole-history.ts'
import { assert, rejection, suite } from '../../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../../support/database.ts'
import { folderSite, someEvents } from '../folder/folder-site.ts'
import { shownIn } from './shown.ts'

interface Opened {
  readonly from: TestSite
  readonly to: TestSite
  readonly folder: string
  readonly stores: { from: BlobStores; to: BlobStores }
  close(): Promise<void>
}

async function openTwo(): Promise<Opened> {
  const [from, to] = await Promise.all([testSite(), testSite()])
  const folder = mkdtempSync(join(tmpdir(), 'rm3-test-write-git-'))
  const storesOf = (name: string): BlobStores => {
    const stores = {
      public: { folder: join(folder, `${name}-public`) },
      private: { folder: join(folder, `${name}-private`) },
    }
    for (const store of Object.values(stores)) mkdirSync(store.folder)
    return stores
  }
  return {
    ...{ from, to, folder },
    stores: { from: storesOf('from'), to: storesOf('to') },
    close: async () => {
      await Promise.all([from.close(), to.close()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const git = (dir: string, ...args: string[]) =>
  execFileSync('git', ['-C', dir, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()

const page = (title: string, source: string, more: Partial<Document> = {}): Document => ({
  proto: 'base',
  hidden: false,
  summary: { title, abstract: '' },
  data: { posting: { format: 'markdown', source } },
  tags: {},
  ...more,
})

suite('a site as a git repository', test => {
  let all: Opened
  const dir = () => join(all.folder, 'site')

  const run = async (work: (change: Change) => Promise<unknown>, author: Partial<Author> = {}) =>
    change(all.from.site, { ...AS_ROOT, ...author }, work)

  const edit = (it: Change, path: string, document: Document, options = {}) =>
    it.liveIdAt(path).then(async id => {
      const { sinceId, tipId } = (await it.entity(id ?? '')) ?? {}
      return revisePage(it, path, {
        ifMatch: sinceId ?? tipId ?? '',
        edit: () => document,
        ...options,
      })
    })

  test.before(async () => {
    all = await openTwo()
    const { from } = all.stores
    await run(it => createPage(it, { path: 'wh', document: page('Home', '# Home\n') }))
    const { result: ann } = await run(it =>
      addUser(it, { login: 'ann', fullName: 'Ann <O\nBrien>', email: 'ann@example.org' }),
    )
    const byAnn = { actor: (ann as { id: string }).id }
    const odd = page('Odd: "title"', 'no line break at the end', {
      hidden: true,
      summary: { title: 'Odd: "title" # x', abstract: ' spaces ', size: { width: 1 }, n: 1.5 },
      data: {
        posting: { format: 'markdown', source: '---\ninner: x\n---\n\r\nä€😀' },
        more: [null, { a: 1 }],
      },
      tags: { plain: [{ '@id': 'x', objClass: 'tag' }] },
    })
    await run(it => createPage(it, { path: 'wh.a', document: page('A', 'one\ntwo\n') }), {
      ...byAnn,
      note: 'First',
    })
    await run(it => createPage(it, { path: 'wh.a.odd', document: odd }), {
      note: ' padded \n\nRM3-Position: 9\n',
    })
    await run(it => edit(it, 'wh.a', page('A', 'one\n2\n'), { minor: true }), {
      ...byAnn,
      note: '',
    })
    await run(it => edit(it, 'wh.a', page('A', 'a draft'), { draft: true }), byAnn)
    await run(it => createPage(it, { path: 'wh.secret', document: page('S', 'x'), draft: true }))
    await run(
      it => createPage(it, { path: 'wh.later', document: page('L', 'later'), draft: true }),
      byAnn,
    )
    for (const name of ['one.txt', 'two.txt']) {
      const stored = await putBlob(from.public, Readable.from([Buffer.from(name)]))
      await run(it => attachBlob(it, 'wh.later', { ...stored, name, category: 'public' }))
    }
    await run(it => publishPage(it, 'wh.later', 1))
    await run(it => createPage(it, { path: 'wh.index', document: page('I', 'index') }))
    await run(it =>
      createPage(it, {
        path: 'wh.html',
        document: page('H', '', { data: { posting: { format: 'html', source: '<p>x</p>' } } }),
      }),
    )
    await run(it =>
      edit(it, 'wh.html', page('H', '', { data: { posting: { format: 'section', blocks: [] } } })),
    )
    for (const [name, text, category] of [
      ['.git', 'one', 'public'],
      ['x.md', 'two', 'private'],
    ] as const) {
      const stored = await putBlob(from[category], Readable.from([Buffer.from(text)]))
      await run(it => attachBlob(it, 'wh.a', { ...stored, name, category }))
    }
    await run(it => movePage(it, 'wh.a', 'wh.b'), { note: 'Moved' })
    await run(it => detachBlob(it, 'wh.b', 'x.md'))
    await run(it => restoreRevision(it, 'wh.b', { revision: 1 }))
    await run(it => deletePage(it, 'wh.later', '/b/'))
    await run(it => deletePage(it, 'wh.index'))
    await run(it => undeletePage(it, 'wh.index', 'wh.readme'))
    await writeGit(all.from.site.db, from, { dir: dir() })
  })
  test.after(() => all.close())

  test('has a file for each live page, and none for drafts', () => {
    assert.equal(git(dir(), 'ls-files').split('\n').sort(), [
      'b.md',
      'b/_files/%2egit',
      'b/odd.md',
      'html.json',
      'index.md',
      'readme-.md',
      'users/ann.json',
    ])
    assert.is(git(dir(), 'status', '--porcelain'), '')
    assert.not.match(git(dir(), 'log', '-p'), /a draft/)
    git(dir(), 'fsck', '--strict')
  })

  test('has a commit for each save, by who made it, with renames', () => {
    const [author, subject] = git(dir(), 'log', '--format=%an <%ae>%n%s', '--', 'a.md')
      .split('\n')
      .slice(-2)
    const moved = git(dir(), 'log', '--format=%s', '--diff-filter=R', '-M').split('\n')

    assert.is(author, 'Ann  O Brien <ann@example.org>')
    assert.is(subject, 'First')
    assert.ok(moved.includes('Moved'))
    assert.match(git(dir(), 'blame', 'b.md'), /Ann .*one/)
  })

  test('is the same repository again', async () => {
    const again = join(all.folder, 'again')
    await writeGit(all.from.site.db, all.stores.from, { dir: again })

    assert.is(git(again, 'rev-parse', 'HEAD'), git(dir(), 'rev-parse', 'HEAD'))
  })

  test('loads back with the same pages, texts, authors and times', async () => {
    await loadGit(all.to.site, { source: dir(), stores: all.stores.to })

    assert.equal(await shownIn(all.to), await shownIn(all.from))
  })

  test('loads back with the same history of what was shown', async () => {
    const id = (await findIdAtPath(all.from.site.db, 'wh.b')) ?? ''
    const told = async ({ site }: TestSite) =>
      (await readWholeHistory(site.db, id, 1e9))
        .filter(({ draft }) => !draft)
        .map(({ revisionId, at, actor, note, type }) => ({ revisionId, at, actor, note, type }))

    assert.equal(await told(all.to), await told(all.from))
  })

  test('is the same repository when what was loaded is written again', async () => {
    const third = join(all.folder, 'third')
    await writeGit(all.to.site.db, all.stores.to, { dir: third })

    const trees = (folder: string) => git(folder, 'log', '--format=%T %an %ae %at %ct %s')
    assert.is(trees(third), trees(dir()))
  })

  test('can be edited as files, and loaded with that', async () => {
    const edited = join(all.folder, 'edited')
    git(all.folder, 'clone', '-q', dir(), edited)
    const file = join(edited, 'b.md')
    writeFileSync(file, readFileSync(file, 'utf8').replace('one', 'ONE'))
    writeFileSync(join(edited, 'b/new.md'), '# New\n')
    const html = join(edited, 'html.json')
    writeFileSync(html, readFileSync(html, 'utf8').replace('"H"', '"HH"'))
    git(edited, 'rm', '-q', 'readme-.md')
    git(edited, 'mv', 'b/odd.md', 'b/odder.md')
    git(edited, 'add', '-A')
    git(
      edited,
      '-c',
      'user.name=Bob',
      '-c',
      'user.email=bob@example.org',
      'commit',
      '-q',
      '-m',
      'by hand',
    )
    const site = await testSite()
    try {
      await loadGit(site.site, { source: edited, stores: all.stores.to })
      const { db } = site.site
      const before = await findIdAtPath(all.from.site.db, 'wh.b')
      const answer = await readPage(site.site, ROOT_VIEWER, 'wh.b')

      assert.is(await findIdAtPath(db, 'wh.b'), before)
      assert.is(
        await findIdAtPath(db, 'wh.b.odder'),
        await findIdAtPath(all.from.site.db, 'wh.b.odd'),
      )
      assert.is(await findIdAtPath(db, 'wh.readme'), null)
      assert.ok(await findIdAtPath(db, 'wh.b.new'))
      assert.ok(answer.type === 'page' && answer.page.data.includes('ONE'))
      const json = await readPage(site.site, ROOT_VIEWER, 'wh.html')
      assert.ok(json.type === 'page' && json.page.summary.includes('HH'))
    } finally {
      await site.close()
    }
  })

  test('is not written over what is there, nor left half written', async () => {
    const taken = await rejection(writeGit(all.from.site.db, all.stores.from, { dir: dir() }))
    const controller = new AbortController()
    const late = join(all.folder, 'late')
    const stopped = rejection(
      writeGit(all.from.site.db, all.stores.from, {
        dir: late,
        signal: controller.signal,
        onProgress: () => controller.abort(new Error('enough')),
      }),
    )

    assert.is((taken as { code?: string }).code, 'TARGET_EXISTS')
    assert.ok((await stopped) instanceof Error)
    assert.not.ok(existsSync(late))
    assert.not.ok(existsSync(`${late}.partial`))
  })

  test('takes the place of what a killed run has left', async () => {
    const killed = join(all.folder, 'killed')
    mkdirSync(join(`${killed}.partial`, '.git'), { recursive: true })
    await writeGit(all.from.site.db, all.stores.from, { dir: killed })

    assert.is(git(killed, 'rev-parse', 'HEAD'), git(dir(), 'rev-parse', 'HEAD'))
  })

  test('is no way to give oneself rights or other ids', async () => {
    const message = git(dir(), 'log', '--format=%B', '-1')
    for (const [from, to] of [
      [/RM3-Event: (\S+) (\S+) \S+/, 'RM3-Event: $1 $2 00000000-0000-4000-8000-000000000001'],
      [/RM3-Event: (\S+) (\S+)/, 'RM3-Event: $1 RolePermitted'],
      [/RM3-At: .*/, 'RM3-At: yesterday'],
      [/"path":"[^"]*"/, '"path":"../x"'],
    ] as const) {
      const forged = join(all.folder, 'forged')
      git(all.folder, 'clone', '-q', dir(), forged)
      const text = message.replace(from, to)
      git(
        forged,
        '-c',
        'user.name=x',
        '-c',
        'user.email=x@x',
        'commit',
        '-q',
        '--amend',
        '-m',
        text,
      )
      const site = await testSite()
      const failure = await rejection(loadGit(site.site, { source: forged, stores: all.stores.to }))
      await site.close()
      rmSync(forged, { recursive: true })

      assert.ok(
        ['SOURCE_DAMAGED', 'PATH_INVALID'].includes((failure as { code: string }).code),
        text,
      )
    }
  })
})

suite('the demonstration site as a git repository', test => {
  let all: Opened
  test.before(async () => {
    all = await openTwo()
    await makeDemo(all.from.site, all.stores.from.public)
  })
  test.after(() => all.close())

  test('loads back as it was', async () => {
    const dir = join(all.folder, 'demo')
    const written = await writeGit(all.from.site.db, all.stores.from, { dir })
    await loadGit(all.to.site, { source: dir, stores: all.stores.to })

    assert.ok(written.commits > 20)
    assert.equal(await shownIn(all.to), await shownIn(all.from))
  })
})

suite('any site as a git repository', test => {
  // RM3_TEST_ROUND_TRIPS=100 tries as many
  const count = Number(process.env['RM3_TEST_ROUND_TRIPS'] ?? 4)
  for (let seed = 1; seed <= count; seed++) {
    test(`loads back as readers saw it (${seed})`, async () => {
      const from = await folderSite()
      const to = await testSite()
      const dir = join(from.folder, 'git')
      const second = join(from.folder, 'second')
      try {
        await from.fill(someEvents(120, seed))
        await writeGit(from.site.db, from.stores, { dir })
        git(dir, 'fsck', '--strict')
        await loadGit(to.site, { source: dir, stores: from.stores })
        await writeGit(to.site.db, from.stores, { dir: second })

        assert.equal(await shownIn(to), await shownIn(from))
        const trees = (folder: string) => git(folder, 'log', '--format=%T %an %ae %at %ct')
        assert.is(trees(second), trees(dir))
      } finally {
        await from.close()
        await to.close()
      }
    }, 60_000)
  }
})
