import { renderView } from './frame.ts'
import { momentOf } from './moments.ts'
import type { Scheme } from './scheme.ts'
import type { ErrorView } from './views.ts'
import { durationInWords } from './words.ts'

interface Words {
  readonly title: string
  readonly text: string
}

const WORDS: Readonly<Record<number, Words>> = {
  400: {
    title: 'That request made no sense',
    text: 'The address or the form that was sent has something in it that cannot be understood here.',
  },
  401: {
    title: 'Log in to see this',
    text: 'This is there, but not for everyone. Log in with an account that may see it.',
  },
  403: { title: 'This is not for you', text: 'You lack the right to see or do this.' },
  404: {
    title: 'There is nothing here',
    text: 'No page has this address. Perhaps it was mistyped, or the page is not public.',
  },
  405: {
    title: 'That cannot be done here',
    text: 'This address does not take that kind of request.',
  },
  410: { title: 'This page was deleted', text: 'There used to be a page at this address.' },
  429: {
    title: 'Too much at once',
    text: 'More requests came from you than this site answers in so short a time.',
  },
  500: {
    title: 'Something broke',
    text: 'The fault is ours, not yours. It has been written down so that it can be found.',
  },
  503: {
    title: 'Back in a moment',
    text: 'The site cannot answer just now. Nothing is lost; please try again shortly.',
  },
}
const NOT_YET: Words = {
  title: 'There was nothing here then',
  text: 'No page had this address at that time, or it is not for you to see. Choose another time above.',
}
const NO_FRONT: Words = {
  title: 'There is no front page',
  text: 'This site has none yet, or it is not for everyone to see.',
}
const PAST: Readonly<Record<number, Words>> = {
  401: {
    title: 'Log in to see the past',
    text: 'What was written here before is not for everyone. Log in with an account that may see it.',
  },
  403: {
    title: 'The past is not for you',
    text: 'You lack the right to see what was written here before.',
  },
}
const ANY: Words = { title: 'That did not work', text: 'The request could not be answered.' }

/** The page for a request that could not be answered. */
export function renderError(scheme: Scheme, view: ErrorView): string {
  const words = wordsOf(view)
  return renderView(scheme, 'error', {
    frame: view.frame,
    head: { title: words.title, noindex: true },
    breadcrumb: [],
    context: {
      status: view.status,
      title: words.title,
      text: view.detail ?? words.text,
      deletedAt:
        view.deletedAt === null ? null : momentOf(view.deletedAt, view.frame.site.timeZone),
      parent: view.parent,
      isFront: view.isFront,
      nowUrl: view.nowUrl,
      historyUrl: view.historyUrl,
      undeleteUrl: view.undeleteUrl,
      wait: view.retryAfterSeconds === null ? null : durationInWords(view.retryAfterSeconds),
      requestId: view.requestId,
      offerLogin: isForOthers(view) && view.frame.user === null && view.frame.loginUrl !== null,
    },
  })
}

function wordsOf({ status, detail, frame, isFront, isOfPast }: ErrorView): Words {
  const usual = Object.hasOwn(WORDS, status) ? (WORDS[status] ?? ANY) : ANY
  // of a page that was deleted nothing more is told; of a revision that was erased, when
  if (status === 410 && detail !== null) return { ...usual, title: 'This was erased' }
  if (isOfPast) return PAST[status] ?? usual
  if (status !== 404) return usual
  if (frame.asOf !== null) return NOT_YET
  return isFront ? NO_FRONT : usual
}

/** Whether somebody else may see it, or may. */
function isForOthers({ status, isFront }: ErrorView): boolean {
  return status === 401 || status === 403 || (status === 404 && isFront)
}
