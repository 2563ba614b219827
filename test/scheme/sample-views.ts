import { renderDiff } from '../../src/scheme/diff-view.ts'
import { renderError } from '../../src/scheme/error-view.ts'
import { renderHistory } from '../../src/scheme/history-view.ts'
import { renderListing } from '../../src/scheme/listing-view.ts'
import { renderPage } from '../../src/scheme/page-view.ts'
import { renderRestore } from '../../src/scheme/restore-view.ts'
import { renderSaid } from '../../src/scheme/said-view.ts'
import { renderSearch } from '../../src/scheme/search-view.ts'
import { renderAccount, renderLogin } from '../../src/scheme/session-views.ts'
import type { RevisionEntry } from '../../src/scheme/views.ts'
import type { RestoreView } from '../../src/scheme/views-of-past.ts'
import {
  ada,
  article,
  diffView,
  documentOf,
  frame,
  historyView,
  listing,
  PROTOS,
  pageView,
  scheme,
} from './sample-site.ts'

const FRONT = `# The Tidal Mill

A mill of 1582 on the North Quay, driven by the tide, looked after by people who like mud. We write down what we do here: how the wheel is mended, what the logbooks say, and what the flour tastes of.

## Lately`

/** Every kind of view by name, as HTML documents of made-up content. */
export function sampleViews(): Map<string, string> {
  const views = new Map<string, string>()
  views.set('article', renderPage(scheme, pageView(article)))
  views.set('front', renderPage(scheme, frontPage()))
  for (const proto of [...PROTOS, 'hologram']) {
    views.set(`proto-${proto}`, renderPage(scheme, pageView(documentOf(proto))))
  }
  const asOf = {
    at: '2025-09-21T10:00:00.000Z',
    position: 12,
    nowUrl: '/',
    restoreUrl: '/$restore/?path=wh.notebook.wheel&revision=4',
    linkQuery: 'at=position%3A12',
  }
  views.set('hidden', renderPage(scheme, pageView({ ...article, hidden: true })))
  views.set('as-of', renderPage(scheme, pageView(article, { frame: { ...frame, asOf } })))
  views.set('revision', renderPage(scheme, pageView(article, { revision: notice })))
  views.set('history', renderHistory(scheme, historyView))
  views.set('diff', renderDiff(scheme, diffView))
  views.set(
    'rendered',
    renderDiff(scheme, {
      ...diffView,
      rendered: { from: { document: article, images: {} }, to: { document: article, images: {} } },
    }),
  )
  for (const [name, what] of Object.entries(restored)) {
    views.set(`restore-${name}`, renderRestore(scheme, restoreView(what)))
  }
  views.set('login', renderLogin(scheme, login(null)))
  views.set(
    'login-error',
    renderLogin(scheme, login('That user name and password do not belong together.')),
  )
  views.set('account', renderAccount(scheme, account))
  views.set(
    'listing',
    renderListing(scheme, {
      frame,
      title: 'Tagged “tides”',
      lead: 'Four pages.',
      breadcrumb: [],
      listing: listing(4),
      empty: 'None.',
    }),
  )
  views.set('search', renderSearch(scheme, search))
  views.set('said', renderSaid(scheme, said))
  views.set('said-nothing', renderSaid(scheme, { ...said, pages: [] }))
  views.set('search-nothing', renderSearch(scheme, { ...search, hits: [] }))
  for (const status of [400, 403, 404, 410, 429, 500, 503])
    views.set(`error-${status}`, errorPage(status))
  return views
}

const notice = {
  revision: 4,
  at: '2025-09-22T09:41:00.000Z',
  author: ada,
  state: 'past' as const,
  note: 'Tom measured the head again',
  historyUrl: '?history',
  diffUrl: '?diff=4',
  liveUrl: '/notebook/wheel/',
  previousUrl: '?at=revision:3',
  nextUrl: '?at=revision:6',
  restoreUrl: '/$restore/?path=wh.notebook.wheel&revision=4',
}

const restored: Readonly<Record<string, RestoreView['what']>> = {
  revision: {
    type: 'revision',
    entry: historyView.entries[2] as RevisionEntry,
    field: null,
    changes: diffView.changes,
    draft: true,
  },
  nothing: {
    type: 'revision',
    entry: historyView.entries[2] as RevisionEntry,
    field: '/summary/title',
    changes: [],
    draft: false,
  },
  pages: {
    type: 'pages',
    to: 'wh.notebook.wheel',
    below: true,
    pages: [{ path: 'wh.notebook.wheel.a', to: 'wh.notebook.wheel.a' }],
    left: [{ path: 'wh.notebook.wheel.b', why: 'PATH_TAKEN' }],
  },
}

function restoreView(what: RestoreView['what']): RestoreView {
  const { subject, breadcrumb } = historyView
  return {
    ...{ frame, breadcrumb, what, note: '', problem: null },
    subject: { ...subject, deleted: what.type === 'pages' },
    historyUrl: '?history',
    action: '/$restore/',
    fields: [{ name: 'path', value: subject.path }],
    missing: [{ kind: 'page', name: 'wh.notebook.weir' }],
  }
}

const account = {
  frame: { ...frame, user: { name: 'Ada Marlowe', url: '/$account' } },
  name: 'Ada Marlowe',
  login: 'ada',
  pageUrl: '/users/ada/',
  roles: ['editor', 'root'],
  logoutAction: '/$logout',
  csrf: 'token',
}

const hit = {
  title: 'The wheel turns again',
  path: 'wh.notebook.wheel',
  url: '/notebook/wheel/',
  snippet: 'Eleven <mark>oak</mark> paddles, seven of them sound … a piece of <mark>oak</mark>',
  modified: '2025-09-22T09:41:00.000Z',
}
const long = 'a_place_with_a_label_that_is_longer_than_a_phone_is_wide'

const search = {
  frame,
  action: '/$search/',
  words: 'oak "tidal mill"',
  hits: [hit, { ...hit, title: '', snippet: '' }, { ...hit, url: null, path: `${long}.${long}` }],
  firstUrl: '/$search/?q=oak',
  nextUrl: '/$search/?q=oak&after=x',
  saidUrl: '/$said/?q=oak',
}

const saidBy = { at: '2025-09-22T09:41:00.000Z', author: ada, url: '/notebook/wheel/?revision=4' }
const said = {
  frame,
  action: '/$said/',
  words: 'oak mill',
  pages: [
    {
      ...{ title: 'The wheel', path: 'wh.notebook.wheel', url: '/notebook/wheel/history.html' },
      sentence: 'The oak mill stands.',
      times: [
        { appeared: saidBy, vanished: null, stands: true },
        { appeared: null, vanished: { ...saidBy, author: null }, stands: false },
      ],
    },
    {
      ...{ title: '', path: `${long}.${long}`, url: null, sentence: long },
      times: [
        { appeared: { ...saidBy, url: null }, vanished: saidBy, stands: false },
        { appeared: null, vanished: null, stands: true },
        { appeared: saidBy, vanished: null, stands: false },
      ],
    },
  ],
  firstUrl: '/$said/?q=oak+mill',
  nextUrl: '/$said/?q=oak+mill&after=x',
}

function frontPage() {
  const posting = {
    format: 'section',
    blocks: [
      { format: 'markdown', source: FRONT },
      {
        format: 'indexfeed',
        query: 'child',
        sort: 'created',
        partial: 'card',
        pagination: 'true',
        perPage: '4',
      },
    ],
  }
  const document = {
    proto: 'index',
    hidden: false,
    summary: { title: 'The Tidal Mill', abstract: '' },
    data: { posting },
    tags: {},
  }
  const view = pageView(document, { breadcrumb: [] })
  return { ...view, page: { ...view.page, path: 'wh', url: '/', author: null } }
}

function login(error: string | null) {
  return {
    frame,
    action: '/$login',
    csrf: 'token',
    next: '/notebook/',
    error,
    user: error ? 'ada' : '',
  }
}

function errorPage(status: number): string {
  return renderError(scheme, {
    frame,
    status,
    ...{ isFront: false, isOfPast: status === 403, nowUrl: status === 400 ? '/a/' : null },
    detail: null,
    deletedAt: status === 410 ? '2025-09-21T10:00:00.000Z' : null,
    parent: status === 404 || status === 410 ? { title: 'Notebook', url: '/notebook/' } : null,
    historyUrl: status === 410 ? '?history' : null,
    undeleteUrl: status === 410 ? '/$restore/?path=wh.gone' : null,
    retryAfterSeconds: status === 429 ? 95 : null,
    requestId: status >= 500 ? 'req-4f2a' : null,
  })
}
