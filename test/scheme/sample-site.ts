import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readableDiff } from '../../src/codec/readable-diff.ts'
import type { Document, JsonObject } from '../../src/content/document.ts'
import { needsOf } from '../../src/scheme/needs.ts'
import { loadScheme } from '../../src/scheme/scheme.ts'
import { urlOfPath } from '../../src/scheme/site-urls.ts'
import type {
  CommentView,
  Frame,
  ListEntry,
  Listing,
  PageView,
  RevisionEntry,
} from '../../src/scheme/views.ts'
import type { DiffView, HistoryView } from '../../src/scheme/views-of-past.ts'

/** The default scheme, loaded once for a test file. */
export const scheme = loadScheme()

/** What surrounds the content on a made-up site. */
export const frame: Frame = {
  site: {
    name: 'The Tidal Mill',
    language: 'en',
    timeZone: 'UTC',
    homeUrl: '/',
    origin: 'https://mill.example',
    copyright: 'Texts CC BY 4.0',
  },
  nav: [
    { title: 'Notebook', url: '/notebook/', current: true },
    { title: 'The mill', url: '/mill/', current: false },
    { title: 'Pictures', url: '/pictures/', current: false },
    { title: 'Visit', url: '/visit/', current: false },
  ],
  user: null,
  loginUrl: '/$login',
  searchUrl: '/$search/',
  asOf: null,
}

/** A picture as a data-free file of the site. */
export const picture = { url: '/$blob/wheel.svg', width: 960, height: 640 }

export const ada = { name: 'Ada Marlowe', url: '/users/ada/' }
export const tom = { name: 'Tom Reyes', url: null }

const ARTICLE = `The wheel had not turned since 1954. When we opened the sluice on Saturday morning nobody expected more than a groan, and for a while a groan is what we got.

Then the tide reached the lower paddles.

![The wheel at half tide](/pictures/wheel/){data-size=large data-title="The wheel at half tide, seen from the causeway"}

## What we found under the silt

Four centuries of estuary had settled in the wheel pit. We took it out by bucket, and kept a list:

- eleven oak paddles, seven of them sound,
- a **bronze bearing** that still takes a polish,
- one boot, left.

The bearing is the puzzle. It is far better than anything else in the building, and its marks match none of the [founders we know of](/mill/founders/ "A list of founders"). Whoever paid for it expected the mill to stand for a long time.

> It is cheaper to buy one good bearing than three bad ones and a miller’s patience.

### How much water is enough

A tide mill works for about three hours either side of low water. The sum is short:

| Tide | Head | Hours of work | Flour |
|:--|--:|--:|--:|
| Spring | 3.1 m | 6.5 | 210 kg |
| Mean | 2.2 m | 5 | 140 kg |
| Neap | 1.3 m | 2.5 | 45 kg |

So the miller’s day moves round the clock by fifty minutes, every day, for ever. The logbook entry \`03:40, ground until 08:15\` is a perfectly ordinary one.

\`\`\`js
const next = tide => new Date(tide.getTime() + 24.84 * 3_600_000)
\`\`\`

## What comes next

We will run the wheel again on the 14th. Bring boots. Both, if you can.

Head
: the difference in height between the pond and the sea.

Sluice
: the gate that lets one become the other.
`

/** An article of ours, with everything an article may have. */
export const article: Document = {
  proto: 'blog',
  hidden: false,
  summary: {
    title: 'The wheel turns again',
    abstract:
      'After seventy years of silence the mill ground a kilo and a half of rather gritty flour.',
  },
  data: { posting: { format: 'markdown', source: ARTICLE } },
  tags: {
    plain: [
      { '@id': 'restoration', objClass: 'tag' },
      { '@id': 'tides', objClass: 'tag' },
    ],
    'wh.meta.dc.coverage': [{ '@id': 'wh.meta.north_quay', objClass: 'ontag' }],
    navigation: [{ '@id': 'navbar', objClass: 'tag' }],
  },
}

const POSTS: readonly (readonly [string, string, string])[] = [
  [
    'The wheel turns again',
    'After seventy years of silence the mill ground a kilo and a half of rather gritty flour.',
    '2025-09-20',
  ],
  [
    'Reading a miller’s logbook',
    'Forty volumes, one handwriting, and not a single complaint about the weather until 1931.',
    '2025-08-02',
  ],
  [
    'Why the pond must be dredged <em>before</em> the spring tides',
    'A short account of mud, with figures.',
    '2025-06-11',
  ],
  ['שער הגאות נפתח', 'פוסט קצר בעברית, כדי לראות שהכול מיושר כמו שצריך.', '2025-05-30'],
]

/** Entries of listings: `count` of them, made up. */
export function entries(count: number, more: Partial<ListEntry> = {}): ListEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const [title, abstract, day] = POSTS[index % POSTS.length] ?? ['', '', '']
    return {
      title,
      abstract,
      proto: 'blog',
      url: `/notebook/post_${index}/`,
      target: null,
      created: `${day}T09:30:00.000Z`,
      modified: `${day}T12:00:00.000Z`,
      author: index % 2 === 0 ? ada : tom,
      picture: index % 3 === 0 ? picture : null,
      ...more,
    }
  })
}

export function listing(count: number, more: Partial<ListEntry> = {}): Listing {
  return {
    entries: entries(count, more),
    previousUrl: null,
    nextUrl: count > 3 ? '?children=x' : null,
  }
}

export const comments: CommentView[] = [
  {
    url: '/notebook/wheel/c1/',
    author: tom,
    created: '2025-09-20T18:02:00.000Z',
    comment: '<p>The boot is mine. I can explain.</p>',
  },
  {
    url: '/notebook/wheel/c2/',
    author: { name: 'A passer-by', url: 'https://passer.example/' },
    created: '2025-09-21T07:45:00.000Z',
    comment: '<p>Could the flour be <em>sold</em>? I would buy it, grit and all.</p>',
  },
]

/** A page view of `document` with what it needs made up. */
export function pageView(document: Document, more: Partial<PageView> = {}): PageView {
  const path = 'wh.notebook.wheel'
  const url = urlOfPath(path)
  const needs = needsOf(scheme, { path, url, document, linkQuery: '' })
  return {
    frame,
    page: {
      path,
      url,
      document,
      created: '2025-09-20T16:24:55.031Z',
      modified: '2025-09-23T08:00:00.000Z',
      author: ada,
    },
    breadcrumb: [
      { title: 'The Tidal Mill', url: '/' },
      { title: 'Notebook', url: '/notebook/' },
    ],
    listings: Object.fromEntries(needs.listings.map(need => [need.key, listing(4)])),
    images: Object.fromEntries(
      needs.images.map(name => [
        name,
        { ...picture, pageUrl: urlOfPath(name), alt: 'A wheel', title: 'Wheel' },
      ]),
    ),
    links: {
      'wh.meta.dc.coverage': { title: 'Coverage', url: '/meta/dc/coverage/' },
      'wh.meta.north_quay': { title: 'North Quay', url: '/meta/north_quay/' },
      'wh.users.wirehead': { title: 'Test User', url: '/users/wirehead/' },
    },
    comments: needs.comments ? comments : [],
    picture,
    audio: {
      url: '/$blob/a.mp3',
      downloadUrl: '/$blob/a.mp3?download',
      mediaType: 'audio/mpeg',
      sizeBytes: 1_254_300,
    },
    tagUrlPrefix: '/$search?tag=',
    historyUrl: `${url}?history`,
    editUrl: null,
    alternates: [{ title: 'JSON', url: '/api/pages/wh', mediaType: 'application/json' }],
    revision: null,
    ...more,
  }
}

/** A document of `proto` with every field such a page may have. */
export function documentOf(proto: string): Document {
  return {
    proto,
    hidden: false,
    summary: {
      title: `A page of kind ${proto}`,
      abstract: 'What it is about, in <em>one</em> sentence.',
      url: 'https://www.example.com/mill/',
      uri: 'http://purl.org/dc/elements/1.1/coverage',
      profileUrl: 'https://ada.example/',
      author: 'wh.users.wirehead',
      size: { width: 960, height: 640 },
    },
    data: {
      posting: {
        format: 'markdown',
        source: '# A heading\n\nSome text with a [link](/visit/).\n\n## Another\n\nMore of it.',
      },
      sidebar: {
        format: 'markdown',
        source: '## Beside it\n\nOpen on **Sundays** from noon until the tide says otherwise.',
      },
      comment: '<p>Well said.</p>',
      description: '<p>Write to us about visits and flour.</p>',
      address: 'secret@mill.example',
      properties: [
        { desc: 'Built', uri: '', value: '1582' },
        { desc: 'Material', uri: 'https://example.org/oak', value: 'Oak' },
      ],
    },
    tags: article.tags,
  }
}

export const PROTOS = [
  ...['base', 'index', 'metaindex', 'blogindex', 'imageindex', 'blog', 'blogsidebar', 'comment'],
  ...['user', 'predicate', 'ontag', 'link', 'emailform', 'photo', 'vectorgraphic', 'audio'],
]

function revision(revision: number, more: Partial<RevisionEntry>): RevisionEntry {
  return {
    revision,
    type: 'PageRevised',
    at: `2025-09-2${Math.min(9, revision)}T08:0${revision}:00.000Z`,
    author: revision % 2 === 0 ? tom : ada,
    door: 'ui',
    note: null,
    state: 'past',
    url: `/notebook/wheel/?at=revision:${revision}`,
    diffUrl: `/notebook/wheel/?diff=${revision}`,
    restoreUrl: `/$restore/?path=wh.notebook.wheel&revision=${revision}`,
    detail: null,
    size: revision % 2 === 0 ? { added: 34, removed: 12 } : null,
    ...more,
  }
}

export const revisions: RevisionEntry[] = [
  revision(7, { state: 'draft', note: 'Trying a shorter ending', at: '2025-09-24T19:20:00.000Z' }),
  revision(6, {
    state: 'live',
    type: 'PagePublished',
    at: '2025-09-23T08:00:00.000Z',
    door: 'api',
  }),
  revision(5, {
    type: 'PageMoved',
    state: 'event',
    url: null,
    diffUrl: null,
    detail: 'from wh.blog.wheel to wh.notebook.wheel',
    at: '2025-09-22T10:00:00.000Z',
  }),
  revision(4, { note: 'Tom measured the head again: it is 3.1 m', at: '2025-09-22T09:41:00.000Z' }),
  revision(3, { note: 'Table of tides', at: '2025-09-21T09:41:00.000Z' }),
  revision(2, { author: tom, at: '2025-09-20T17:10:00.000Z' }),
  revision(1, {
    type: 'PageCreated',
    diffUrl: null,
    at: '2025-09-20T16:24:55.031Z',
    door: 'import',
  }),
]

const subject = {
  title: 'The wheel turns again',
  path: 'wh.notebook.wheel',
  url: '/notebook/wheel/',
  deleted: false,
}
const breadcrumb = [
  { title: 'The Tidal Mill', url: '/' },
  { title: 'Notebook', url: '/notebook/' },
  { title: 'The wheel turns again', url: '/notebook/wheel/' },
]

export const historyView: HistoryView = {
  frame,
  subject,
  breadcrumb,
  total: 7,
  entries: revisions,
  newerUrl: null,
  olderUrl: '?history&after=x',
  compareUrl: '/notebook/wheel/',
  compareFields: [{ name: 'view', value: 'diff' }],
  filter: {
    ...{
      action: '/notebook/wheel/history.html',
      fields: [],
      isSet: true,
      allUrl: '/notebook/wheel/history.html',
    },
    ...{ author: 'ed', since: '2026-01-31', until: '' },
  },
  blameUrl: '/notebook/wheel/blame.html',
  undeleteUrl: null,
}

const before: Document = {
  ...article,
  summary: { ...article.summary, title: 'The wheel moves again' },
  data: {
    posting: {
      format: 'markdown',
      source: ARTICLE.replace('3.1 m | 6.5', '2.9 m | 6')
        .replace('fifty minutes', 'an hour')
        .replace(/\n> .*\n/, ''),
    },
  },
  tags: { ...article.tags, plain: [{ '@id': 'restoration', objClass: 'tag' }] },
}

export const diffView: DiffView = {
  frame,
  subject,
  breadcrumb,
  from: revisions[4] as RevisionEntry,
  to: revisions[3] as RevisionEntry,
  historyUrl: '?history',
  previousUrl: '?diff=3',
  nextUrl: null,
  rendered: null,
  otherUrl: '/notebook/wheel/diff.html?from=1&to=2&view=rendered',
  restoreUrl: '/$restore/?path=wh.notebook.wheel&revision=1',
  files: [
    {
      name: 'wheel.png',
      before: null,
      after: {
        url: '/pictures/wheel/$file/wheel.svg?at=position:3',
        mediaType: 'image/svg+xml',
        sizeBytes: 4096,
      },
    },
  ],
  changes: readableDiff(before, { ...article, hidden: true }),
}

/** Documents of the rm3 0.3.8 backup by path; null when the shared data is absent. */
export function backupDocuments(): Map<
  string,
  { document: Document; created: string; modified: string }
> | null {
  const folder = join(process.env['RM3_TEST_DATA'] ?? '../shared/data', 'rm3-backups/v0.3.8')
  let catalog: Record<string, { main?: string }>
  try {
    catalog = JSON.parse(readFileSync(join(folder, 'catalog.json'), 'utf8')) as typeof catalog
  } catch {
    return null
  }
  return new Map(
    Object.entries(catalog).flatMap(([path, { main }]) => {
      if (main === undefined) return []
      const record = JSON.parse(readFileSync(join(folder, main), 'utf8')) as {
        proto: string
        hidden: boolean
        summary: JsonObject
        data: JsonObject
        tags: JsonObject
        created: string
        modified: string
      }
      const { proto, hidden, summary, data, tags, created, modified } = record
      return [
        [
          path,
          { document: { proto, hidden: hidden ?? false, summary, data, tags }, created, modified },
        ] as const,
      ]
    }),
  )
}
