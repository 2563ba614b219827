import fc from 'fast-check'
import {
  childPath,
  depthOf,
  fromUrl,
  isPath,
  isUnder,
  leafLabel,
  movedPath,
  parentPath,
  parsePath,
  toUrl,
} from '../../src/content/path.ts'
import { Rm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'

const label = fc.stringMatching(/^[a-z0-9][a-z0-9_]{0,12}$/)
const path = fc.array(label, { maxLength: 8 }).map(labels => ['wh', ...labels].join('.'))

function refusal(act: () => unknown): Rm3Error {
  try {
    act()
  } catch (thrown) {
    if (thrown instanceof Rm3Error) return thrown
    throw thrown
  }
  throw new Error('expected a refusal')
}

suite('paths', test => {
  test('a path is folded to lower case', () => {
    assert.is(parsePath('wh.Blog.My_Post'), 'wh.blog.my_post')
    assert.is(parsePath('wh.6605EF00_4c48'), 'wh.6605ef00_4c48')
    assert.ok(isPath('wh.blog'))
    assert.not.ok(isPath('wh.Blog'))
    assert.not.ok(isPath(['wh']))
  })

  test('what is not a path is refused and the label named', () => {
    const bad = ['', '.', 'wh.', '.wh', 'wh..a', 'wh.a-b', 'wh._a', 'wh.ä', 'wh.a b', 'wh.a\0']
    const worse = [
      'wh.\ufeffa',
      'wh.a\u200b',
      'wh.\ud800',
      'wh.a/b',
      'wh.%61',
      'wh.a\n',
      'wh.\u212a',
    ]
    for (const text of [...bad, ...worse, `wh.${'a'.repeat(256)}`]) {
      const error = refusal(() => parsePath(text))
      assert.is(error.code, 'PATH_INVALID', JSON.stringify(text))
      assert.match(error.message, /^Label \d+ of the path/)
      assert.not.ok(isPath(text))
    }
    const { label, index } = refusal(() => parsePath('wh.blog.a-b')).details
    assert.equal([label, index], ['a-b', 2])
  })

  test('depth and length are bounded', () => {
    assert.is(depthOf(parsePath(Array(32).fill('a').join('.'))), 32)
    const tooMany = [Array(33).fill('a').join('.'), Array(70_000).fill('a').join('.')]
    for (const text of [...tooMany, Array(8).fill('a'.repeat(255)).join('.')]) {
      assert.is(refusal(() => parsePath(text)).code, 'PATH_INVALID')
      assert.not.ok(isPath(text))
    }
  })

  test('relations between paths follow labels, not characters', () => {
    assert.is(parentPath('wh.blog.x'), 'wh.blog')
    assert.is(parentPath('wh'), null)
    assert.is(leafLabel('wh.blog.x'), 'x')
    assert.is(leafLabel('wh'), 'wh')
    assert.ok(isUnder('wh.blog', 'wh.blog'))
    assert.ok(isUnder('wh.blog.x', 'wh.blog'))
    assert.not.ok(isUnder('wh.blogs', 'wh.blog'))
    assert.is(childPath('wh.blog', 'New'), 'wh.blog.new')
    assert.match(refusal(() => childPath('wh', 'a.b')).message, '"a.b"')
    assert.is(movedPath('wh.a.b.c', 'wh.a', 'wh.x.y'), 'wh.x.y.b.c')
    assert.is(movedPath('wh.ab', 'wh.a', 'wh.x'), 'wh.ab')
    const deep = Array(31).fill('d').join('.')
    assert.is(refusal(() => movedPath('wh.a.b.c', 'wh.a', deep)).code, 'PATH_INVALID')
  })
})

suite('URLs of paths', test => {
  test('every path comes back from its URL', () => {
    fc.assert(
      fc.property(path, text => {
        assert.equal(fromUrl(toUrl(text)), { path: text, page: null, rest: [], redirect: null })
      }),
    )
  })

  test('the root may be elsewhere and deeper', () => {
    assert.is(toUrl('wh'), '/')
    assert.is(toUrl('site.main.blog', 'site.main'), '/blog/')
    assert.is(fromUrl('/blog/', 'site.main')?.path, 'site.main.blog')
    assert.is(refusal(() => toUrl('other.blog')).code, 'PATH_INVALID')
    assert.is(refusal(() => toUrl('whale')).code, 'PATH_INVALID')
  })

  test('pages and tails are read', () => {
    const at = (path: string, page: string | null, rest: string[] = []) => ({
      path,
      page,
      rest,
      redirect: null,
    })
    assert.equal(fromUrl('/blog/history.html'), at('wh.blog', 'history.html'))
    assert.equal(fromUrl('/atom.xml'), at('wh', 'atom.xml'))
    assert.equal(fromUrl('/blog/$/tag/caf%C3%A9/'), at('wh.blog', null, ['tag', 'café']))
    assert.equal(fromUrl('/$/a:b/'), at('wh', null, ['a:b']))
    assert.equal(fromUrl('/blog/list.html/$/2/'), at('wh.blog', 'list.html', ['2']))
  })

  test('another spelling is told where to go', () => {
    assert.is(fromUrl('/blog')?.redirect, '/blog/')
    assert.is(fromUrl('/Blog/X/')?.redirect, '/blog/x/')
    assert.is(fromUrl('/ADMIN')?.redirect, '/admin/')
    assert.is(fromUrl('/Blog/edit.html')?.redirect, '/blog/edit.html')
    assert.is(fromUrl('/blog/$/a b'.replace(' ', '%20'))?.redirect, '/blog/$/a%20b/')
    assert.is(fromUrl('/blog/$/')?.redirect, '/blog/')
    assert.is(fromUrl('/blog/$/cafe%CC%81/')?.redirect, '/blog/$/caf%C3%A9/')
  })

  test('trick spellings lead nowhere', () => {
    const slashes = ['', 'blog/', '//', '//blog/', '/blog//', '/blog//x/', '/\\blog/', '/%2fblog/']
    const dots = ['/./', '/../', '/blog/../x/', '/%2e%2e/', '/blog/%2E/', '/.blog/', '/blog/./x']
    const escapes = ['/%62log/', '/blog%00/', '/%', '/%zz/', '/blog%3f/', '/blog%20/', '/%c0%ae/']
    const marks = ['/blog;x/', '/;/blog/', '/blog/edit.html;x', '/blog/edit.html/', '/a-b/', '/_a/']
    const texts = [
      '/blög/',
      '/blog /',
      '/\u212a/',
      '/a\u200b/',
      '/blog\0/',
      '/a\n',
      '/edit.html/x/',
    ]
    const tails = ['/$/a//b/', '/$/../', '/$/%2e%2e/', '/$/a%2fb/', '/$/%00/', '/$/%ff/', '/$/a;b/']
    const areas = ['/$new/', '/$login/', '/a/$x/', '/$/%E2%80%AEa/', '/$/é/', '/$/$/a%5cb/']
    const long = [`/${'a/'.repeat(32)}`, `/${'a'.repeat(256)}/`, `/${'a'.repeat(9000)}/`]
    const many = [`/$/${'a/'.repeat(17)}`, `/$/${'a'.repeat(9000)}`]
    const all = [slashes, dots, escapes, marks, texts, tails, areas, long, many].flat()
    for (const url of all) assert.is(fromUrl(url), null, JSON.stringify(url))
  })

  test('any text yields null or a target whose canonical URL leads to itself', () => {
    const piece = fc.constantFrom('/', '//', 'a', 'B', '$', '.', '%2e', '%41', 'x.y', ';', '%20')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map(p => `/${p.join('')}`),
        ),
        url => {
          const target = fromUrl(url)
          if (target === null || target.redirect === null) return
          assert.equal(fromUrl(target.redirect), { ...target, redirect: null })
        },
      ),
      { numRuns: 3000 },
    )
  })
})
