import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findIdAtPath } from '../../../projections/pages.ts'
import { loadGit } from '../../../src/backup/git/load.ts'
import { writeGit } from '../../../src/backup/git/write.ts'
import type { BlobStores } from '../../../src/blobs/store.ts'
import { change, type Site } from '../../../src/commands/change.ts'
import { permitRole } from '../../../src/commands/rights.ts'
import { readState } from '../../../src/commands/states.ts'
import { documentOf } from '../../../src/content/document.ts'
import { FILE_LINKS } from '../../../src/content/file-links.ts'
import type { Entity } from '../../../src/content/state.ts'
import { buildServer } from '../../../src/http/server.ts'
import { assert, suite } from '../../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../../support/database.ts'
import { type TestRepository, testRepository } from './git-repository.ts'

const PICTURE = Buffer.from('\x89PNG\r\n\x1a\nfirst', 'latin1')
const START = [
  '# Start',
  '[other](./Other.md#second-part), [up](../README.md), [folder](../img/), [later](Later.md)',
  '![picture](../img/My%20Picture.png) <a href="deep/page.html?x=1">deep</a>',
  '[gone](./None.txt.gz) [out](../../out.md) [web](https://example.org/a.md) [here](#start)',
].join('\n\n')

suite('links between files of a repository', test => {
  let repository: TestRepository
  let site: TestSite
  let folder: string
  let stores: BlobStores

  const documentAt = async ({ db }: Site, path: string) => {
    const state = (await readState(db, (await findIdAtPath(db, path)) ?? '')) as Entity
    return documentOf(state.live?.document ?? state.tip)
  }
  const linksAt = async (path: string) => (await documentAt(site.site, path)).data[FILE_LINKS]

  test.before(async () => {
    repository = testRepository()
    site = await testSite()
    folder = mkdtempSync(join(tmpdir(), 'rm3-test-links-'))
    stores = { public: { folder }, private: { folder } }
    repository.commit({
      'README.md': '[start](docs/Start.md)\n',
      'docs/Start.md': START,
      'docs/Other.md': '# Other\n\n## Second part\n\n[back](Start.md)\n',
      'docs/deep/page.html': '<p><a href="/docs/Other">up</a></p>',
      'img/My Picture.png': PICTURE,
    })
    repository.commit({ 'docs/Later.md': 'later\n' })
    await loadGit(site.site, { source: repository.folder, stores })
    await change(site.site, AS_ROOT, it =>
      permitRole(it, { role: 'nobody', permission: 'view', pattern: 'wh.*' }),
    )
  })
  test.after(async () => {
    repository.close()
    await site.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('are known by what they lead to, and the text stays as it is', async () => {
    const { data } = await documentAt(site.site, 'wh.docs.start')

    assert.is((data['posting'] as { source: string }).source, START)
    assert.equal(data[FILE_LINKS], {
      './Other.md': '/docs/other/',
      '../README.md': '/',
      '../img/': '/img/',
      'Later.md': '/docs/later/',
      '../img/My Picture.png': '/img/$file/My%20Picture.png',
      'deep/page.html': '/docs/deep/page/',
    })
    assert.equal(await linksAt('wh'), { 'docs/Start.md': '/docs/start/' })
    assert.equal(await linksAt('wh.docs.deep.page'), { '/docs/Other': '/docs/other/' })
    assert.is(await linksAt('wh.docs.later'), undefined)
  })

  test('can be followed, each of them', async () => {
    const server = buildServer({
      ...site,
      options: {
        ...{
          trustProxy: false,
          httpsChecksDisabled: true,
          sessionSecret: null,
          logLevel: 'silent',
        },
        ...{ publicBlobsFolder: folder, privateBlobsFolder: folder },
      },
    })
    const get = async (url: string) => server.inject({ url, headers: { accept: 'text/html' } })
    const { body } = await get('/docs/start/')
    const hrefs = [...body.matchAll(/(?:href|src)="(\/(?:docs|img)\/[^"]*)"/g)].map(
      ([, url]) => url,
    )
    const codes = await Promise.all(
      [...new Set(hrefs)].map(async url => (await get(url ?? '')).statusCode),
    )
    const other = await get('/docs/other/')
    await server.close()

    assert.match(body, 'href="/docs/other/#c-second-part"')
    assert.match(body, 'href="/docs/deep/page/?x=1"')
    assert.match(body, 'src="/img/$file/My%20Picture.png"')
    assert.match(body, 'href="./None.txt.gz"')
    assert.equal([...new Set(codes)], [200])
    assert.match(other.body, 'id="c-second-part"')
  })

  test('come back through a repository of the site as they were', async () => {
    const dir = join(folder, 'out')
    const again = await testSite()
    await writeGit(site.site.db, stores, { dir })

    await loadGit(again.site, { source: dir, stores })

    for (const path of ['wh', 'wh.docs.start', 'wh.docs.deep.page']) {
      assert.equal(await documentAt(again.site, path), await documentAt(site.site, path), path)
    }
    assert.ok(existsSync(join(dir, 'docs/start.md')))
    assert.ok(readFileSync(join(dir, 'docs/start.md'), 'utf8').endsWith(START))
    assert.match(
      execFileSync('git', ['-C', dir, 'log', '--format=%an'], { encoding: 'utf8' }),
      'Ann',
    )
    await again.close()
  })
})
