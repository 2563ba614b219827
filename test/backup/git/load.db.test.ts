import { mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findAccountByEmail } from '../../../projections/accounts.ts'
import { listBlobs } from '../../../projections/blobs.ts'
import { findIdAtPath, listUnder } from '../../../projections/pages.ts'
import { ROOT_VIEWER } from '../../../src/access/viewer.ts'
import { type GitLoad, type GitLoaded, loadGit } from '../../../src/backup/git/load.ts'
import { hasBlob } from '../../../src/blobs/store.ts'
import type { JsonObject } from '../../../src/codec/json.ts'
import { change } from '../../../src/commands/change.ts'
import type { LiveImport } from '../../../src/commands/import-live.ts'
import { createPage, deletePage, movePage, revisePage } from '../../../src/commands/pages.ts'
import { readHead } from '../../../src/log/read.ts'
import { verifyLog } from '../../../src/log/verify.ts'
import { resolveAt } from '../../../src/queries/at.ts'
import { readPage } from '../../../src/queries/read-page.ts'
import { readWholeHistory, type WholeRevision } from '../../../src/queries/whole-history.ts'
import { assert, rejection, suite } from '../../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../../support/database.ts'
import { type TestRepository, testRepository } from './git-repository.ts'

const PICTURE = Buffer.from('\x89PNG\r\n\x1a\nfirst', 'latin1')
const BOB = 'Bob <Bob@Example.org>'

/** A site, a repository and a folder for blobs, of their own. */
async function openAll(): Promise<Opened> {
  const repository = testRepository()
  const site = await testSite()
  const folder = mkdtempSync(join(tmpdir(), 'rm3-test-blobs-'))
  const { db } = site.site
  return {
    ...{ repository, folder, site },
    load: options =>
      loadGit(site.site, {
        source: repository.folder,
        stores: { public: { folder }, private: { folder } },
        ...options,
      }),
    paths: async () => (await listUnder(db, 'wh', 1000)).map(({ path }) => path).sort(),
    history: async path =>
      (await readWholeHistory(db, (await findIdAtPath(db, path)) ?? '', 1e9)) as WholeRevision[],
    page: async path => {
      const answer = await readPage(site.site, ROOT_VIEWER, path)
      if (answer.type !== 'page') return null
      const { summary, data, tags } = answer.page
      return { summary: parse(summary), data: parse(data), tags: parse(tags) }
    },
    close: async () => {
      repository.close()
      await site.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Opened {
  readonly repository: TestRepository
  readonly site: TestSite
  readonly folder: string
  load(options?: Partial<GitLoad>): Promise<GitLoaded>
  paths(): Promise<string[]>
  history(path: string): Promise<WholeRevision[]>
  page(path: string): Promise<{ summary: JsonObject; data: JsonObject; tags: JsonObject } | null>
  close(): Promise<void>
}

const parse = (text: string) => JSON.parse(text) as JsonObject
const codeOf = (thrown: unknown) => (thrown as { code?: string }).code
const sourceOf = (page: { data: JsonObject } | null) =>
  (page?.data['posting'] as JsonObject | undefined)?.['source']

suite('a git history in an empty site', test => {
  let all: Opened
  const commits: string[] = []
  let loaded: GitLoaded

  test.before(async () => {
    all = await openAll()
    const { commit } = all.repository
    commits.push(
      commit({ 'README.md': '# Welcome\n', 'guide/first-steps.md': 'One\n' }, { message: 'Begin' }),
      commit(
        { 'guide/first-steps.md': 'One\nTwo\n', 'guide/a.png': PICTURE },
        { message: 'Say more\n\nWith a reason.', author: BOB, date: '2019-05-01T10:00:00+02:00' },
      ),
      commit({
        'about.html': '<title>About us</title><p>x</p>',
        'notes.txt': 'just text',
        'guide/tagged.md':
          '---\ntitle: "With: fields"\ndescription: Short.\ntags: [a, b]\nweight: 3\n---\n\nBody\n',
        'guide/idea.md': '---\ndraft: true\n---\nNot yet\n',
        'code.js': 'let x',
      }),
      commit({ 'guide/first-steps.md': null, 'guide/steps.md': 'One\nTwo\n', 'notes.txt': null }),
    )
    loaded = await all.load()
  })
  test.after(() => all.close())

  test('makes pages of files and folders', async () => {
    assert.equal(await all.paths(), [
      'wh',
      'wh.about',
      'wh.guide',
      'wh.guide.steps',
      'wh.guide.tagged',
      'wh.users.ann',
      'wh.users.bob',
    ])
    assert.is((await all.page('wh'))?.summary['title'], 'Welcome')
    assert.is((await all.page('wh.about'))?.summary['title'], 'About us')
    assert.is((await all.page('wh.guide'))?.summary['title'], 'Guide')
    assert.equal(loaded.leftOut, { '.js': 1 })
  })

  test('makes one revision of each commit, with author, time and message; a rename is a move', async () => {
    const ann = (await findAccountByEmail(all.site.site.db, 'ann@example.org'))?.id
    const bob = (await findAccountByEmail(all.site.site.db, 'bob@example.org'))?.id

    const history = await all.history('wh.guide.steps')

    assert.equal(
      history.map(({ type, at, actor, note }) => ({ type, at, actor, note })),
      [
        { type: 'PageCreated', at: '2020-01-02T00:00:00.000Z', actor: ann, note: 'Begin' },
        {
          type: 'PageRevised',
          at: '2019-05-01T08:00:00.000Z',
          actor: bob,
          note: 'Say more\n\nWith a reason.',
        },
        { type: 'PageMoved', at: '2020-01-05T00:00:00.000Z', actor: ann, note: 'change' },
      ],
    )
  })

  test('keeps the commit and the file in meta', async () => {
    const [first] = await all.history('wh.guide.steps')
    const { meta } = (
      await all.site.site.db.rows<{ meta: string }>(
        'select meta::text as meta from log where event_id = $1::uuid',
        [first?.revisionId],
      )
    )[0] as { meta: string }

    const { importId } = loaded.done
    assert.ok(importId !== null)
    assert.equal(JSON.parse(meta), {
      ...{ door: 'import', importId },
      import: { from: 'git', commit: commits[0], file: 'guide/first-steps.md' },
    })
  })

  test('keeps front matter as it stands, and as fields, title, abstract and tags', async () => {
    const page = await all.page('wh.guide.tagged')

    assert.equal(page?.summary, { title: 'With: fields', abstract: 'Short.' })
    assert.is(sourceOf(page), '\nBody\n')
    assert.match(String(page?.data['frontMatter']), /^---\ntitle: "With: fields"\n.*---\n$/s)
    assert.equal(page?.data['fields'], {
      title: 'With: fields',
      description: 'Short.',
      tags: ['a', 'b'],
      weight: 3,
    })
    assert.equal(page?.tags, {
      plain: [
        { '@id': 'a', objClass: 'tag' },
        { '@id': 'b', objClass: 'tag' },
      ],
    })
  })

  test('publishes no draft', async () => {
    assert.is(await findIdAtPath(all.site.site.db, 'wh.guide.idea'), null)
  })

  test('attaches pictures to the page of their folder', async () => {
    const id = (await findIdAtPath(all.site.site.db, 'wh.guide')) ?? ''
    const [blob, ...others] = await listBlobs(all.site.site.db, id)

    assert.is(blob?.name, 'a.png')
    assert.is(blob?.mediaType, 'image/png')
    assert.ok(await hasBlob({ folder: all.folder }, blob?.sha256 ?? ''))
    assert.is(others.length, 0)
  })

  test('can be read as of the days of the history', async () => {
    const at = await resolveAt(all.site.site.db, '2020-01-04T12:00:00Z')
    const then = await readPage(all.site.site, ROOT_VIEWER, 'wh.notes', at)
    const now = await readPage(all.site.site, ROOT_VIEWER, 'wh.notes')

    assert.is(then.type, 'page')
    assert.is.not(now.type, 'page')
    assert.is((await verifyLog(all.site.site.db)).fault, null)
  })

  test('gives nobody a password or a right', async () => {
    const others = 'select type from log where type !~ $1::text'

    assert.equal(await all.site.site.db.rows(others, ['^(Page|Blob)']), [])
  })

  test('loaded again brings nothing, and later only what is new', async () => {
    const before = await readHead(all.site.site.db)
    const again = await all.load()
    const same = await readHead(all.site.site.db)
    all.repository.commit({ 'guide/steps.md': 'Three\n' }, { message: 'Third' })
    const more = await all.load()

    assert.is(same.position, before.position)
    assert.is((again.done as LiveImport).known, before.position - 2) // but for those that made the authors
    assert.is(more.done.proof.events, 1)
    assert.is(sourceOf(await all.page('wh.guide.steps')), 'Three\n')
  })

  test('keeps what was changed on the site in the history, and what was deleted there deleted', async () => {
    const { site } = all.site
    await change(site, AS_ROOT, async it => {
      const page = await it.entity((await it.liveIdAt('wh.guide.steps')) ?? '')
      return revisePage(it, 'wh.guide.steps', {
        ifMatch: page?.sinceId ?? '',
        edit: document => ({ ...document, data: { mine: 1 } }),
      })
    })
    await change(site, AS_ROOT, it => movePage(it, 'wh.guide.tagged', 'wh.elsewhere'))
    await change(site, AS_ROOT, it => deletePage(it, 'wh.about'))
    all.repository.commit({
      'guide/steps.md': 'Four\n',
      'guide/tagged.md': 'Plain\n',
      'about.html': '<p>y</p>',
    })

    const { done } = await all.load()

    assert.is(sourceOf(await all.page('wh.guide.steps')), 'Four\n')
    assert.equal((await all.history('wh.guide.steps')).at(-2)?.actor, 'root')
    assert.is(sourceOf(await all.page('wh.elsewhere')), 'Plain\n')
    assert.equal((done as LiveImport).passedOver, ['wh.about was deleted here: PageRevised'])
    assert.is(await findIdAtPath(site.db, 'wh.about'), null)
  })
})

suite('a git history in a site that has pages', test => {
  let all: Opened
  test.before(async () => {
    all = await openAll()
    await change(all.site.site, AS_ROOT, it =>
      createPage(it, {
        path: 'wh',
        document: { proto: 'base', hidden: false, summary: { title: 'Mine' }, data: {}, tags: {} },
      }),
    )
    all.repository.commit({ 'docs/index.md': 'Home\n', 'docs/x/y.md': 'Y\n', 'z.md': 'Z\n' })
  })
  test.after(() => all.close())

  test('needs a path', async () => {
    assert.is(codeOf(await rejection(all.load())), 'SITE_NOT_EMPTY')
    assert.is(codeOf(await rejection(all.load({ atPath: 'wh' }))), 'PATH_TAKEN')
    assert.is(codeOf(await rejection(all.load({ atPath: 'wh.a-b' }))), 'PATH_INVALID')
    assert.is(
      codeOf(await rejection(all.load({ subdir: '../x', atPath: 'wh.a' }))),
      'REQUEST_INVALID',
    )
  })

  test('does all of it and takes it back in a dry run', async () => {
    const { position } = await readHead(all.site.site.db)
    const { done } = await all.load({ atPath: 'wh.docs', subdir: 'docs', dryRun: true })

    assert.is(done.proof.documents, 4)
    assert.is((await readHead(all.site.site.db)).position, position)
    assert.equal(readdirSync(all.folder), [])
  })

  test('goes below the path, of a folder alone, and is recorded now', async () => {
    await all.load({ atPath: 'wh.docs', subdir: './docs/' })
    const [first] = await all.history('wh.docs.x.y')

    assert.equal(await all.paths(), ['wh', 'wh.docs', 'wh.docs.x', 'wh.docs.x.y', 'wh.users.ann'])
    assert.is(sourceOf(await all.page('wh.docs')), 'Home\n')
    assert.is(first?.at, '2020-01-02T00:00:00.000Z')
  })

  test('goes to two places', async () => {
    await all.load({ atPath: 'wh.again' })

    assert.is(sourceOf(await all.page('wh.again.docs.x.y')), 'Y\n')
    assert.is((await all.paths()).filter(path => path.startsWith('wh.users.')).length, 1)
  })
})

suite('a strange git repository', test => {
  let all: Opened
  test.before(async () => {
    all = await openAll()
  })
  test.after(() => all.close())

  test('gives every name a path of its own', async () => {
    const { repository } = all
    repository.commit({
      'a-b.md': '1',
      'a_b.md': '2',
      'a b.html': '3',
      'A-B.txt': '4',
      'x-y/p.md': '5',
      'x_y/p.md': '6',
      '日本語.md': '7',
      '...md': '8',
      'über/Ä.md': '9',
      'index.md': '10',
      'README.md': '11',
      'with\nline\tand "quotes".md': '12',
      [`${'d/'.repeat(60)}deep.md`]: '13',
      [`${'n'.repeat(200)}.md`]: '14',
      [`${'n'.repeat(201)}.md`]: '15',
      'constructor.md': '16',
      '__proto__.md': '17',
      'api/search.md': '18',
    })
    await all.load()

    const paths = await all.paths()
    const texts = await Promise.all(paths.map(async path => sourceOf(await all.page(path))))
    const numbers = texts.filter(text => text !== undefined).map(Number)
    assert.equal(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 18 }, (_, n) => n + 1),
    )
    assert.is(new Set(paths).size, paths.length)
  })

  test('brings no link, no other repository, nothing binary or too large, and says so', async () => {
    const { repository } = all
    symlinkSync('/etc/passwd', join(repository.folder, 'link.md'))
    const sub = repository.git('rev-parse', 'HEAD')
    repository.git('update-index', '--add', '--cacheinfo', `160000,${sub},module`)
    repository.write({
      'binary.md': Buffer.from('a\0b'),
      'large.md': 'x'.repeat(5_000_000),
      'latin.md': Buffer.from('caf\xe9', 'latin1'),
    })
    repository.git('add', 'link.md', 'binary.md', 'large.md', 'latin.md')
    repository.git('commit', '-q', '-m', 'odd')

    const { warnings, leftOut } = await all.load()

    const paths = await all.paths()
    assert.is(sourceOf(await all.page('wh.latin')), 'café')
    for (const name of ['link', 'binary', 'large', 'module'])
      assert.not.ok(paths.includes(`wh.${name}`))
    assert.equal(leftOut, { links: 1, 'other repositories': 1 })
    assert.equal(warnings.map(({ file }) => file).sort(), ['binary.md', 'large.md', 'latin.md'])
  })

  test('writes nothing outside, whatever its names are', async () => {
    const { repository } = all
    const blob = Buffer.from(repository.git('rev-parse', 'HEAD:index.md'), 'hex')
    const entries = ['..', '.git', 'a/b.md', '../../x.md', '\\x.md'].map(name =>
      Buffer.concat([Buffer.from(`100644 ${name.endsWith('.md') ? name : `${name}.md`}\0`), blob]),
    )
    const file = join(repository.folder, '.git', 'tree')
    writeFileSync(file, Buffer.concat(entries))
    const tree = repository.git('hash-object', '-t', 'tree', '--literally', '-w', file)
    const commit = repository.git('commit-tree', tree, '-m', 'hostile')
    repository.git('update-ref', 'refs/heads/hostile', commit)

    await all.load({ ref: 'hostile', atPath: 'wh.hostile' })

    const paths = (await all.paths()).filter(path => path.startsWith('wh.hostile'))
    assert.ok(paths.length >= 5)
  })

  test('is refused when it is none, or damaged', async () => {
    const notOne = mkdtempSync(join(tmpdir(), 'rm3-test-not-git-'))
    const bundle = join(notOne, 'x.bundle')
    all.repository.git('bundle', 'create', bundle, 'main')
    truncateSync(bundle, 3000)

    assert.is(
      codeOf(await rejection(all.load({ source: join(notOne, 'none') }))),
      'SOURCE_NOT_FOUND',
    )
    assert.is(
      codeOf(await rejection(all.load({ source: notOne, atPath: 'wh.q' }))),
      'SOURCE_DAMAGED',
    )
    assert.is(
      codeOf(await rejection(all.load({ source: bundle, atPath: 'wh.q' }))),
      'SOURCE_DAMAGED',
    )
    assert.is(codeOf(await rejection(all.load({ ref: 'none' }))), 'SOURCE_NOT_FOUND')
    assert.is(codeOf(await rejection(all.load({ ref: '--output=x' }))), 'SOURCE_NOT_FOUND')
    rmSync(notOne, { recursive: true })
  })

  test('runs nothing that its settings name', async () => {
    const { repository, folder } = all
    const proof = join(folder, 'ran')
    for (const [key, value] of [
      ['core.fsmonitor', `touch ${proof}`],
      ['core.pager', `touch ${proof}`],
      ['diff.external', `touch ${proof}`],
      ['uploadpack.packObjectsHook', `touch ${proof}`],
      ['core.sshCommand', `touch ${proof}`],
    ] as const) {
      repository.git('config', key, value)
    }

    await all.load({ dryRun: true })

    assert.not.ok(readdirSync(folder).includes('ran'))
  })

  test('ends when it is told to, with nothing written', async () => {
    const { position } = await readHead(all.site.site.db)
    const controller = new AbortController()
    const failure = await rejection(
      all.load({
        atPath: 'wh.late',
        signal: controller.signal,
        onProgress: () => controller.abort(new Error('enough')),
      }),
    )

    assert.ok(failure instanceof Error)
    assert.is((await readHead(all.site.site.db)).position, position)
  })
})
