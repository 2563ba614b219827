import { readableDiff } from '../../src/codec/readable-diff.ts'
import type { Document, JsonObject } from '../../src/content/document.ts'
import { renderDiff } from '../../src/scheme/diff-view.ts'
import { renderError } from '../../src/scheme/error-view.ts'
import { renderHistory } from '../../src/scheme/history-view.ts'
import { renderPage } from '../../src/scheme/page-view.ts'
import { renderRestore } from '../../src/scheme/restore-view.ts'
import { renderSaid } from '../../src/scheme/said-view.ts'
import { renderSearch } from '../../src/scheme/search-view.ts'
import { renderLogin } from '../../src/scheme/session-views.ts'
import {
  diffView,
  documentOf,
  entries,
  frame,
  historyView,
  pageView,
  revisions,
  scheme,
} from './sample-site.ts'

type Place = (payload: string) => string

/** Every place a user's text gets to: the page that a payload there makes. */
export const PLACES: Readonly<Record<string, Place>> = {
  title: text => page('blog', { summary: { title: text } }),
  abstract: text => page('blog', { summary: { title: 'T', abstract: text } }),
  markdown: text => posting({ format: 'markdown', source: text }),
  'html block': text => posting({ format: 'html', source: text }),
  'plain text block': text => posting({ format: 'plainishtext', source: text }),
  'unknown block': text => posting({ format: text, source: text }),
  'stored slabs': text =>
    posting({
      format: 'html',
      htmlslabs: [text, { name: 'siteImage', src: text, alt: text, 'data-title': text }],
    }),
  'image in a text': text =>
    posting({
      format: 'markdown',
      source: `![${text}](/pictures/wheel/){data-title="true" data-desc="${text}"}`,
    }),
  sidebar: text => page('blogsidebar', { data: { sidebar: { format: 'markdown', source: text } } }),
  comment: text =>
    renderPage(
      scheme,
      pageView(documentOf('blog'), {
        comments: [
          {
            url: '/c/',
            author: { name: text, url: text },
            created: '2025-01-01T00:00:00.000Z',
            comment: text,
          },
        ],
      }),
    ),
  'comment page': text =>
    page('comment', { summary: { identity: { name: text, url: text } }, data: { comment: text } }),
  tags: text =>
    page('blog', {
      tags: {
        plain: [{ '@id': text, objClass: 'tag' }],
        [text]: [
          { '@id': text, objClass: 'link' },
          { '@id': text, objClass: 'ontag' },
        ],
      },
    }),
  author: text =>
    renderPage(
      scheme,
      pageView(documentOf('blog'), {
        page: { ...pageView(documentOf('blog')).page, author: { name: text, url: null } },
      }),
    ),
  'url of a link': text => page('link', { summary: { title: 'T', url: text } }),
  'url of a profile': text => page('user', { summary: { title: 'T', profileUrl: text } }),
  'uri of a predicate': text => page('predicate', { summary: { title: 'T', uri: text } }),
  properties: text =>
    page('ontag', {
      summary: { uri: text },
      data: { properties: [{ desc: text, uri: text, value: text }] },
    }),
  listing: text =>
    renderPage(
      scheme,
      pageView(documentOf('blogindex'), {
        listings: {
          children: {
            entries: entries(2, {
              title: text,
              abstract: text,
              target: text,
              author: { name: text, url: null },
            }),
            previousUrl: null,
            nextUrl: null,
          },
        },
      }),
    ),
  proto: text => page(text, {}),
  'site name': text =>
    renderPage(
      scheme,
      pageView(documentOf('base'), {
        frame: {
          ...frame,
          site: { ...frame.site, name: text },
          nav: [{ title: text, url: '/', current: false }],
        },
      }),
    ),
  note: text =>
    renderHistory(scheme, {
      ...historyView,
      subject: { ...historyView.subject, title: text },
      entries: revisions.map(entry => ({
        ...entry,
        note: text,
        detail: text,
        type: text,
        door: text,
      })),
    }),
  diff: text =>
    renderDiff(scheme, {
      ...diffView,
      changes: readableDiff(
        { a: text, b: { [text]: 1 }, c: `${text}\nx` },
        { a: `${text} ${text}`, c: `y\n${text}` },
      ),
    }),
  'rendered comparison': text => {
    const document = {
      ...documentOf('blog'),
      summary: { title: text },
      data: { posting: { format: 'html', source: text } },
    }
    return renderDiff(scheme, {
      ...diffView,
      rendered: { from: { document, images: {} }, to: { document, images: {} } },
    })
  },
  error: text =>
    renderError(scheme, {
      ...noError,
      detail: text,
      requestId: text,
      parent: { title: text, url: '/' },
    }),
  search: text =>
    renderSearch(scheme, {
      ...{ frame, action: '/$search/', words: text, firstUrl: null, nextUrl: null },
      saidUrl: null,
      hits: [{ title: text, path: text, url: '/a/', snippet: text, modified: text }],
    }),
  said: text =>
    renderSaid(scheme, {
      ...{ frame, action: '/$said/', words: text, firstUrl: null, nextUrl: null },
      pages: [
        {
          ...{ title: text, path: text, url: '/a/', sentence: text },
          times: [
            {
              appeared: { at: text, author: { name: text, url: null }, url: '/a/' },
              vanished: { at: text, author: { name: text, url: '/b/' }, url: null },
              stands: false,
            },
          ],
        },
      ],
    }),
  restore: text =>
    renderRestore(scheme, {
      ...{
        frame,
        breadcrumb: [],
        historyUrl: '/',
        action: '/$restore/',
        problem: text,
        note: text,
      },
      subject: { title: text, path: text, url: '/', deleted: true },
      fields: [{ name: 'path', value: text }],
      missing: [{ kind: 'page', name: text }],
      what: {
        ...{ type: 'pages', to: text, below: true },
        pages: [{ path: text, to: text }],
        left: [{ path: text, why: text }],
      },
    }),
  login: text =>
    renderLogin(scheme, {
      frame,
      action: '/$login',
      csrf: text,
      next: text,
      error: text,
      user: text,
    }),
}

const noError = {
  ...{ isFront: false, isOfPast: false, nowUrl: null },
  frame,
  status: 400,
  deletedAt: null,
  historyUrl: null,
  undeleteUrl: null,
  retryAfterSeconds: null,
}

function posting(block: JsonObject): string {
  return page('base', { data: { posting: block } })
}

function page(proto: string, more: Partial<Document>): string {
  const document = { ...documentOf(proto), ...more }
  return renderPage(scheme, pageView(document))
}
