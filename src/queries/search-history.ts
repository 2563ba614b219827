import { type FormerPath, listFormerPaths } from '../../projections/page-history.ts'
import {
  listWordingChanges,
  listWordingPages,
  type WordingFilter,
  type WordingPage,
} from '../../projections/wordings.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readStates } from '../commands/states.ts'
import { documentOf } from '../content/document.ts'
import { sentencesIn, sentencesOf } from '../content/sentences.ts'
import type { State } from '../content/state.ts'
import { hashOf, wordsOf } from '../content/wording.ts'
import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import { FOREVER } from '../projector/define.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { mayReadPast } from './reader.ts'
import type { RevisionEntry } from './revision-entry.ts'
import { listEntries } from './revisions.ts'

export const WORDINGS_MAX = 50
export const WORDINGS_DEFAULT = 20
export const WORDING_CHARS_MAX = 500
const SENTENCES_MAX = 8
/** Changes of a page that are looked at, the newest ones. */
const CHANGES_MAX = 50
/** Changes with these words that are looked through at once for pages that are not listed yet. */
const MATCHES_MAX = 500
/** Revisions that one search looks at, and what a look through matches counts as. */
const LOOKED_MAX = 240
const LOOK_COST = 40
/** Pages that are looked at together. */
const PAGES_AT_ONCE = 8
const SENTENCE_CHARS = 300

/** A stretch of time in which a page said it. */
export interface Standing {
  /** The change that brought it; null where it was there before what was looked at. */
  readonly appeared: RevisionEntry | null
  /** The change that took it away; null where it stands, or went where one may not look. */
  readonly vanished: RevisionEntry | null
  readonly stands: boolean
}

/** A page that says what was searched for, or said it. */
export interface Wording {
  readonly entityId: string
  /** Where the page is now, or was last. */
  readonly path: string
  readonly title: string
  /** The sentence with the words, as it was when they were there last; plain text. */
  readonly sentence: string
  /** The newest first. */
  readonly times: readonly Standing[]
}

/**
 * When words, in their order, appeared on pages, and when they vanished, as far as a viewer may read the past of these pages: what
 * readers saw counts, not drafts. Pages whose newest such change is newest come first. A part may be shorter than `limit` although more
 * follow.
 *
 * @throws REQUEST_INVALID when there are no words in `words`; CURSOR_INVALID
 */
export async function searchHistory(
  site: Site,
  viewer: Viewer,
  asked: { words: string; under: string | null },
  { limit, after }: { limit: number; after: string | null },
): Promise<{ items: Wording[]; next: string | null }> {
  const phrase = phraseOf(asked.words)
  const filter: WordingFilter = {
    sentences: hashesOf(asked.words),
    under: asked.under,
    viewed: viewer.pathsWith('view') ?? '',
    history: viewer.pathsWith('history') ?? '',
  }
  let before = after === null ? FOREVER : Number(readCursor(asked, after, ['number'])[0])
  const items: Wording[] = []
  for (let left = LOOKED_MAX; left > 0 && items.length < limit; ) {
    const { pages, bound } = await listWordingPages(site.db, filter, {
      before,
      looked: MATCHES_MAX,
    })
    left -= LOOK_COST
    for (let index = 0; index < pages.length; index += PAGES_AT_ONCE) {
      const some = pages.slice(index, index + Math.min(PAGES_AT_ONCE, limit - items.length))
      const found = await lookAt(site, viewer, { pages: some, phrase, filter })
      items.push(...found.items)
      left -= found.looked
      before = some.at(-1)?.position ?? before
      const isEnd = bound === null && index + some.length === pages.length
      if (isEnd) return { items, next: null }
      if (items.length >= limit || left <= 0) return { items, next: makeCursor(asked, [before]) }
      index += some.length - PAGES_AT_ONCE
    }
    if (bound === null) return { items, next: null }
    before = bound
  }
  return { items, next: makeCursor(asked, [before]) }
}

/** The words between spaces, so that they are found in another such text only as whole words in this order. */
function phraseOf(text: string): string {
  const words = wordsOf(text)
  if (words.length > 0) return ` ${words.join(' ')} `
  throw new Rm3Error('REQUEST_INVALID', 'q: say which words to look for', { parameter: 'q' })
}

/** The words of each sentence: a change that brings several of them need not have all in one. */
function hashesOf(text: string): number[][] {
  return sentencesOf(text.replace(/\s+/g, ' '))
    .map(sentence => [...new Set(wordsOf(sentence).map(hashOf))])
    .filter(words => words.length > 0)
    .slice(0, SENTENCES_MAX)
}

interface Looking {
  readonly pages: readonly WordingPage[]
  readonly phrase: string
  readonly filter: WordingFilter
}

async function lookAt(
  { db }: Site,
  viewer: Viewer,
  { pages, phrase, filter }: Looking,
): Promise<{ items: Wording[]; looked: number }> {
  const ids = pages.map(({ entityId }) => entityId)
  const [changes, former] = await Promise.all([
    listWordingChanges(db, ids, filter.sentences, CHANGES_MAX + 1),
    listFormerPaths(db, ids),
  ])
  const found = await Promise.all(
    pages.map(page => {
      const own = <T extends { entityId: string }>(rows: readonly T[]) =>
        rows.filter(({ entityId }) => entityId === page.entityId)
      const revisions = own(changes).map(({ revision }) => revision)
      return wordingOf(db, viewer, { page, revisions, former: own(former), phrase })
    }),
  )
  return { items: found.filter(item => item !== null), looked: changes.length }
}

interface PageLooked {
  readonly page: WordingPage
  /** The newest first. */
  readonly revisions: readonly number[]
  readonly former: readonly FormerPath[]
  readonly phrase: string
}

async function wordingOf(
  db: Db,
  viewer: Viewer,
  { page, revisions, former, phrase }: PageLooked,
): Promise<Wording | null> {
  const { entityId, path, title } = page
  const looked = revisions.slice(0, CHANGES_MAX).reverse()
  const states = await readStates(db, entityId, looked)
  const said = states.map(state => sentenceIn(state, phrase))
  const isWhole = revisions.length <= CHANGES_MAX
  const spans = readableSpans(spansOf(looked, said, isWhole), stretchesOf(viewer, path, former))
  if (spans.length === 0) return null
  const named = spans.flatMap(({ from, until }) => [from, until ?? 0])
  const entries = await listEntries(db, viewer, entityId, [...new Set(named)])
  const entryAt = (revision: number | null) =>
    entries.find(entry => entry.revision === revision) ?? null
  const times = spans.map(({ from, until, end }) => ({
    appeared: entryAt(from),
    vanished: entryAt(until),
    stands: end === Infinity,
  }))
  return { entityId, path, title, sentence: spans.at(-1)?.sentence ?? '', times: times.reverse() }
}

/** The sentence that readers saw with the words in it; null where it was not there. */
function sentenceIn(state: State | null, phrase: string): string | null {
  if (state?.kind !== 'entity' || state.state !== 'live' || state.live === null) return null
  const sentences = sentencesIn(documentOf(state.live.document))
  if (!padded(sentences.join(' ')).includes(phrase)) return null
  const [first = ''] = phrase.trim().split(' ', 1)
  const sentence =
    sentences.find(one => padded(one).includes(phrase)) ??
    sentences.find(one => padded(one).includes(` ${first} `))
  return (sentence ?? '').trim().slice(0, SENTENCE_CHARS)
}

function padded(text: string): string {
  return ` ${wordsOf(text).join(' ')} `
}

/** Revisions from `from` and before `end` that say it. */
interface Span {
  /** 0: it was there before. */
  readonly from: number
  readonly end: number
  /** The revision that took it away; null: nobody did, or it may not be told. */
  readonly until: number | null
  readonly sentence: string
}

/** @param isWhole whether the first of `revisions` is the first that could have brought it */
function spansOf(
  revisions: readonly number[],
  said: readonly (string | null)[],
  isWhole: boolean,
): Span[] {
  const spans: Span[] = []
  revisions.forEach((revision, index) => {
    const sentence = said[index] ?? null
    const last = spans.at(-1)
    const isOpen = last?.end === Infinity
    if (sentence === null && isOpen && last !== undefined) {
      spans[spans.length - 1] = { ...last, end: revision, until: revision }
    } else if (sentence !== null && isOpen && last !== undefined) {
      spans[spans.length - 1] = { ...last, sentence }
    } else if (sentence !== null) {
      const from = index === 0 && !isWhole ? 0 : revision
      spans.push({ from, end: Infinity, until: null, sentence })
    }
  })
  return spans
}

interface Stretch {
  readonly low: number
  readonly high: number
}

/** The revisions in which the page was where its past may be read. */
function stretchesOf(viewer: Viewer, now: string, former: readonly FormerPath[]): Stretch[] {
  const stretches: Stretch[] = []
  let low = 0
  for (const { untilRevision: high, path } of [...former, { untilRevision: Infinity, path: now }]) {
    const last = stretches.at(-1)
    if (mayReadPast(viewer, [now, path])) {
      if (last?.high === low) stretches[stretches.length - 1] = { low: last.low, high }
      else stretches.push({ low, high })
    }
    low = high
  }
  return stretches
}

/** What of the spans may be told: where a page came into sight with the words, they appeared. */
function readableSpans(spans: readonly Span[], stretches: readonly Stretch[]): Span[] {
  return spans.flatMap(span =>
    stretches.flatMap(({ low, high }): Span[] => {
      const from = Math.max(span.from, low)
      const end = Math.min(span.end, high)
      if (from >= end) return []
      return [{ ...span, from, end, until: span.end < high ? span.until : null }]
    }),
  )
}
