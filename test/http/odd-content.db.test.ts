import { GRANTS_STREAM, SETTINGS_STREAM, type SiteEvent } from '../../src/content/events.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { buildAll } from '../../src/projector/unbuilt.ts'
import { append } from '../contract/projection.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE } from '../support/database.ts'
import { putUser, type TestServer, testServer, withToken } from './support.ts'

const DEADLINE_MS = 300_000
const LONG = 'a'.repeat(50_000)

type Fields = Readonly<Record<string, unknown>>

/** Documents that no editor could save, and that a backup of an older system, or of somebody else, may have all the same. */
const DOCUMENTS: Readonly<Record<string, Fields>> = {
  proto_constructor: { proto: 'constructor' },
  proto_prototype: { proto: '__proto__' },
  proto_path: { proto: '../../etc/passwd' },
  proto_long: { proto: LONG },
  nothing: { summary: {}, data: {} },
  title_number: { summary: { title: 7, abstract: [1] } },
  title_object: { summary: { title: { toString: 1 }, abstract: { a: 1 } } },
  title_list: { summary: { title: [['x']], abstract: null } },
  title_long: { summary: { title: LONG, abstract: LONG } },
  text_object: { data: { text: { a: 1 }, body: [1, 2], posting: 7 } },
  posting_list: { data: { posting: [1], blocks: {} } },
  posting_number: { proto: 'blog', data: { posting: { format: 7, source: { a: 1 } } } },
  posting_format: { proto: 'blog', data: { posting: { format: 'constructor', source: 'x' } } },
  posting_blocks: {
    proto: 'blog',
    data: { posting: { blocks: [null, 1, 'x', [], { format: {} }] } },
  },
  posting_block_object: { proto: 'blog', data: { posting: { blocks: { length: 1e9 } } } },
  names: {
    data: { constructor: { prototype: 1 }, toString: 'x', hasOwnProperty: 1, valueOf: null },
  },
  tags_flat: { tags: { a: 7, b: 'x', c: { d: 1 }, d: null } },
  tags_odd: {
    tags: { constructor: [null, 1, 'x', {}, { '@id': 7 }, { '@id': { a: 1 }, objClass: [] }] },
  },
  tags_geo: {
    tags: {
      at: [
        { objClass: 'geo', lat: 1e308, lon: -1e308 },
        { objClass: 'geo', lat: 'x' },
      ],
    },
  },
  tags_long: { tags: { [LONG]: [{ '@id': LONG, objClass: LONG }] } },
  photo: { proto: 'photo', data: { photo: 7, camera: { x: [] }, width: 'x' } },
  user: {
    proto: 'user',
    summary: { title: 7 },
    data: { email: { a: 1 }, url: 'javascript:alert(1)', profile: [] },
  },
  link: { proto: 'link', data: { url: { a: 1 }, link: 'javascript:alert(1)' } },
  index: { proto: 'index', data: { posting: 7, list: { a: 1 } } },
  file_links: {
    data: {
      fileLinks: 7,
      fields: [1],
      frontMatter: { a: 1 },
      posting: { source: '[a](b)', format: 'markdown' },
    },
  },
  file_links_odd: {
    data: {
      fileLinks: { b: { constructor: 1 } },
      posting: { source: '[a](b) ![c](b)', format: 'markdown' },
    },
  },
  one_word: { data: { posting: { format: 'markdown', source: LONG } } },
  brackets: { data: { posting: { format: 'markdown', source: '['.repeat(20_000) } } },
  quotes: { data: { posting: { format: 'markdown', source: '> '.repeat(5_000) } } },
  html: { data: { posting: { format: 'html', source: '<div>'.repeat(10_000) } } },
  deep: { data: { deep: JSON.parse('['.repeat(60) + ']'.repeat(60)) } },
}
const OTHERS: readonly (readonly [string, Fields])[] = [
  ['BlobAttached', blob('../x', 'text/html\r\nSet-Cookie: a=b')],
  ['BlobAttached', blob(LONG, LONG)],
  ['BlobAttached', blob('', '')],
  ['BlobAttached', blob('constructor', 'image/png')],
  ['BlobAttached', blob('a\u0001\n"\u202e', 'image/svg+xml')],
  ['PublishScheduled', { revision: 999, revisionId: id(9, 9), at: '9999-12-31T23:59:59.999Z' }],
  ['RoleAssigned', { role: 'constructor' }],
  ['RoleAssigned', { role: '..%00' }],
  ['PagePublished', { revision: 999, hash: 'x' }],
  ['CredentialSet', { credential: id(7, 7), provider: 'constructor', label: LONG }],
]
const REDIRECTS = [
  'javascript:alert(1)',
  '//evil.example',
  '/a\r\nSet-Cookie: x=y',
  `/${LONG}`,
  'http://[',
  '/ä→/',
  '',
]
const SETTINGS: Fields = {
  constructor: 1,
  'site.title': { a: 1 },
  'site.timezone': 'Mars/Olympus',
  'search.language': { a: 1 },
  'backup.schedule': ['x'],
  'backup.keep': 'all',
}

let open: TestServer
let token = ''

suite('whatever a loaded backup holds', test => {
  test.before(async () => {
    open = await testServer()
    await append(open.site, oddEvents())
    ;({ token } = await putUser(open, 'ed', ['editor']))
    const projections = await discoverProjections()
    await buildAll({ url: open.url, site: TEST_SITE }, { projections, events: 1 })
  }, DEADLINE_MS)
  test.after(() => open.close())

  test(
    'is answered without an error of ours, on every page and list, now and as it was',
    async () => {
      const failed = new Set<string>()
      for (const url of urls()) {
        const asReader = { url, headers: { accept: 'text/html' } }
        const asEditor = withToken(token, { url, headers: { accept: 'application/json' } })
        for (const request of [asReader, asEditor]) {
          const answer = await open.server.inject(request)
          const { location = '/' } = answer.headers
          const isSafe = /^(\/(?!\/)|https?:\/\/)/.test(String(location))
          if (answer.statusCode < 500 && isSafe) continue
          failed.add(`${answer.statusCode} ${url} ${location} ${answer.body.slice(0, 200)}`)
        }
      }

      assert.equal([...failed], [])
    },
    DEADLINE_MS,
  )
})

function urls(): string[] {
  const pages = [...Object.keys(DOCUMENTS), 'others', ...REDIRECTS.map((_, n) => `gone${n}`)]
  return [
    ...pages.flatMap(name => [
      ...[
        '',
        'history.html',
        'compare.html',
        'blame.html',
        '?at=revision:1',
        '?at=position:30',
      ].map(it => `/${name}/${it}`),
      ...[
        '',
        '/revisions',
        '/revisions/1',
        '/diff?from=1&to=2',
        '/blame',
        '/blobs',
        '/links',
        '/timemap',
        '?at=position:30',
      ].map(it => `/api/pages/wh.${name}${it}`),
    ]),
    ...[
      '/',
      '/feed.atom',
      '/changes.atom',
      '/$search/?q=x',
      '/$changes/',
      '/$said/?q=a',
      '/sitemap.xml',
      '/api/search?q=a',
      '/api/search?q=a&at=position:30',
    ],
    ...[
      '/api/pages?parent=wh',
      '/api/pages?parent=wh&at=position:30',
      '/api/pages?parent=wh&sort=title',
      '/api/log?limit=1000',
      '/api/changes',
      '/api/activity',
    ],
    ...[
      '/api/grants',
      '/api/roles',
      '/api/users',
      '/api/config',
      '/api/history/search?q=a',
      '/api/links/broken',
      '/api/changes/density',
      '/api/pages?tag=x',
      '/api/pages?proto=blog',
      '/health/ready',
      '/metrics',
    ],
  ]
}

function oddEvents(): SiteEvent[] {
  const made: { type: string; stream: string; data: Fields }[] = [
    ...[
      ['nobody', 'view'],
      ['nobody', 'history'],
      ['editor', 'view'],
      ['editor', 'history'],
      ['editor', 'viewdraft'],
      ['editor', 'post.edit'],
      ['editor', 'admin'],
      ['constructor', '..%00'],
    ].map(([role, permission]) => ({
      type: 'RolePermitted',
      stream: GRANTS_STREAM,
      data: { role, permission, pattern: '*' },
    })),
    { type: 'PageCreated', stream: id(1, 1), data: created('wh', { summary: { title: 'front' } }) },
    ...Object.entries(DOCUMENTS).map(([name, document], n) => ({
      type: 'PageCreated',
      stream: id(2, n),
      data: created(`wh.${name}`, document),
    })),
    ...Object.keys(DOCUMENTS).map((_, n) => ({
      type: 'PageRevised',
      stream: id(2, n),
      data: { base: 1, document: whole({ summary: { title: 'later' } }) },
    })),
    ...Object.entries(DOCUMENTS).map(([, document], n) => ({
      type: 'PageRevised',
      stream: id(2, n),
      data: { base: 2, document: whole(document) },
    })),
    {
      type: 'PageCreated',
      stream: id(3, 1),
      data: created('wh.others', { summary: { title: 'others' } }),
    },
    ...OTHERS.map(([type, data]) => ({ type, stream: id(3, 1), data })),
    ...REDIRECTS.flatMap((redirect, n) => [
      {
        type: 'PageCreated',
        stream: id(4, n),
        data: created(`wh.gone${n}`, { summary: { title: 'gone' } }),
      },
      { type: 'PageDeleted', stream: id(4, n), data: { redirect } },
    ]),
    ...Object.entries(SETTINGS).map(([key, value]) => ({
      type: 'SettingChanged',
      stream: SETTINGS_STREAM,
      data: { key, value },
    })),
  ]
  return made.map((event, index) => ({
    ...event,
    eventId: id(5, index),
    at: '2021-03-04T05:06:07.089Z',
  })) as unknown as SiteEvent[]
}

function created(path: string, document: Fields): Fields {
  return { path, document: whole(document) }
}

function whole(document: Fields): Fields {
  return { proto: 'base', hidden: false, summary: { title: 'x' }, data: {}, tags: {}, ...document }
}

function blob(name: string, mediaType: string): Fields {
  return { name, mediaType, sha256: 'ab'.repeat(32), sizeBytes: 2 ** 53 - 1, category: 'public' }
}

function id(kind: number, number: number): string {
  return `00000000-0000-4000-900${kind}-${String(number).padStart(12, '0')}`
}
