import { feedsOfBlock, renderBlock, renderComment, renderShort } from '../../src/scheme/blocks.ts'
import type { Piece } from '../../src/scheme/refine.ts'
import { assert, suite } from '../harness.ts'

const place = { pageUrl: '/blog/post/', title: 'The title', linkQuery: '', idPrefix: 'c-' }

function markup(block: unknown, more: Partial<typeof place> = {}): string {
  return renderBlock(block, 'posting', { ...place, ...more })
    .map(piece => (piece.type === 'html' ? piece.markup : `[${piece.type}]`))
    .join('')
}

const markdown = (source: string, more: Partial<typeof place> = {}) =>
  markup({ format: 'markdown', source }, more)

suite('text blocks', test => {
  test('are rendered from their source, whatever slabs are stored beside it', () => {
    const block = { format: 'markdown', source: 'the *source*', htmlslabs: ['<p>stale</p>'] }

    assert.is(markup(block), '<p dir="auto">the <em>source</em></p>\n')
  })

  test('are rendered from sanitised slabs when there is no source', () => {
    const block = {
      format: 'html',
      htmlslabs: [
        '<p onclick="x">old ',
        { name: 'siteImage', src: '/images/graphic/', alt: 'x' },
        '</p>',
      ],
    }

    assert.is(markup(block), '<p dir="auto">old [image]</p>')
  })

  test('bring headings below the title without a level left out, each with a link to itself', () => {
    const html = markdown('# One\n\n#### Two\n\n## Three\n\n## Three')

    assert.match(html, '<h2 id="c-one" dir="auto">One <a class="anchor" href="#c-one"')
    assert.match(html, '<h3 id="c-two"')
    assert.match(html, '<h3 id="c-three"')
    assert.match(html, '<h3 id="c-three-2"')
  })

  test('leave out a first heading that only repeats the title', () => {
    assert.is(markdown('# The title\n\nText').trim(), '<p dir="auto">Text</p>')
    assert.match(markdown('Text\n\n# The title'), '<h2')
  })

  test('keep ids apart from those of the site and links to them working', () => {
    const html = markdown('<p id="content">x</p>\n\n[down](#content)')

    assert.match(html, 'id="c-content"')
    assert.match(html, 'href="#c-content"')
  })

  test('find images of pages, whether relative or not, and leave images of other hosts as they are', () => {
    const pieces = renderBlock(
      {
        format: 'markdown',
        source:
          '![a](/images/graphic/){data-size=medium data-float=left}\n\n![b](pic/) ![c](https://x.example/c.png)',
      },
      'posting',
      place,
    )
    const images = pieces.flatMap(piece => (piece.type === 'image' ? [piece.image] : []))

    assert.equal(
      images.map(({ path, size, float, setting }) => ({ path, size, float, setting })),
      [
        { path: 'wh.images.graphic', size: 'medium', float: 'left', setting: 'block' },
        { path: 'wh.blog.post.pic', size: null, float: null, setting: 'inline' },
      ],
    )
    assert.match(html(pieces), 'src="https://x.example/c.png"')
    assert.match(html(pieces), 'referrerpolicy="no-referrer"')
  })

  test('show an http image as a link, because a page over https cannot load it', () => {
    assert.match(
      markdown('![old](http://x.example/o.png)'),
      '<a href="http://x.example/o.png" rel=',
    )
  })

  test('keep links of the site in the time that is shown, and others as they are', () => {
    const html = markdown('[a](/x/#y) [b](https://x.example/) [c](#d)', {
      linkQuery: 'at=position%3A12',
    })

    assert.match(html, 'href="/x/?at=position%3A12#y"')
    assert.match(html, 'href="https://x.example/" rel="noopener nofollow ugc"')
    assert.match(html, 'href="#c-d"')
  })

  test('keep tables with how their columns stand, in something that scrolls', () => {
    const html = markdown('| a | b |\n|---|--:|\n| 1 | 2 |')

    assert.match(html, '<div class="wide" tabindex="0"><table')
    assert.match(html, '<td data-align="right">2</td>')
    assert.not.match(html, 'style')
  })

  test('show plain text in paragraphs, and an unknown format as the text it is', () => {
    assert.is(
      markup({ format: 'plainishtext', source: 'a <b>\nc\n\nd' }),
      '<p dir="auto">a &lt;b&gt;<br>c</p>\n<p dir="auto">d</p>',
    )
    assert.match(markup({ format: 'rot13', source: '<uryyb>' }), '&lt;uryyb&gt;</pre>')
  })

  test('show nothing for what is no block', () => {
    for (const block of [null, undefined, 3, [], {}, { format: 'section', blocks: 'x' }]) {
      assert.is(markup(block), '')
    }
  })

  test('of every shape are rendered within a bound of time', () => {
    const length = 300_000
    const began = performance.now()
    for (const source of ['<b>', '![a](b){c}\n', '<b></x>', '<b title="</b>">', '*a*{.c} ']) {
      markdown(source.repeat(length / source.length))
    }
    let nested: unknown = { format: 'markdown', source: 'deep' }
    for (let depth = 0; depth < 5_000; depth++) nested = { format: 'section', blocks: [nested] }

    assert.is(markup(nested), '')
    assert.ok(performance.now() - began < 15_000)
  })
})

suite('listings in text blocks', test => {
  test('are found with the strings that forms of rm3 0.x stored', () => {
    const block = {
      format: 'section',
      blocks: [
        { format: 'markdown', source: 'x' },
        {
          format: 'indexfeed',
          query: 'child',
          sort: 'created',
          pagination: 'true',
          perPage: '',
          navbar: '',
        },
        {
          format: 'section',
          blocks: [
            { format: 'indexfeed', rootPath: 'true', child: 'blog', proto: 'blog', perPage: '3' },
          ],
        },
      ],
    }

    const [first, second] = feedsOfBlock(block, 'posting', 'wh.a')

    assert.is(first?.key, 'posting_1')
    assert.equal(
      [first?.rootPath, first?.select, first?.sort, first?.paginate, first?.perPage, first?.navbar],
      ['wh.a', 'child', 'created', true, 5, false],
    )
    assert.is(second?.key, 'posting_2_0')
    assert.equal(
      [
        second?.rootPath,
        second?.select,
        second?.proto,
        second?.paginate,
        second?.perPage,
        second?.layout,
      ],
      ['wh.blog', 'dir', 'blog', false, 3, 'card'],
    )
  })

  test('have defaults for everything, also for nonsense', () => {
    const [feed] = feedsOfBlock(
      {
        format: 'indexfeed',
        query: 7,
        sort: {},
        perPage: '-3',
        partial: 'constructor',
        child: '../x',
      },
      'posting',
      'wh',
    )

    assert.equal(
      [feed?.select, feed?.sort, feed?.perPage, feed?.layout, feed?.rootPath],
      ['dir', 'path', 100, 'card', 'wh'],
    )
  })
})

suite('short texts', test => {
  test('keep words and links and lose blocks and pictures', () => {
    assert.is(
      renderShort('<p>a <em>b</em> <img src=x> <a href="/c/">d</a></p>', ''),
      'a <em>b</em>  <a href="/c/">d</a>',
    )
    assert.is(renderShort('a "b"', ''), 'a &quot;b&quot;')
  })

  test('of readers lose headings and ids', () => {
    assert.is(renderComment('<h1 id="x">a</h1><p id="y">b</p>', ''), 'a<p>b</p>')
  })
})

function html(pieces: readonly Piece[]): string {
  return pieces.map(piece => (piece.type === 'html' ? piece.markup : '')).join('')
}
