import { isJsonObject } from './json.ts'
import { isPath } from './site-urls.ts'

/** How a listing is laid out. */
export type FeedLayout = 'card' | 'list' | 'grid' | 'masonry' | 'justified' | 'post'
export type FeedSort = 'path' | 'created' | 'changed' | 'random'

/** A listing that a page needs: what the caller has to look up for it. */
export interface FeedNeed {
  /** Names the listing on its page (`posting`, `posting_1`, `children`); also the name of its paging parameter. */
  readonly key: string
  /** Dotted path the listing is about. */
  readonly rootPath: string
  /** `dir`: direct children; `child`: the page and all below; `parents`: ancestors and itself; `uses`: pages tagged with it. */
  readonly select: 'dir' | 'child' | 'parents' | 'uses'
  /** Only pages of this proto; null for all. */
  readonly proto: string | null
  /** `path` and `random` as they say, `created` and `changed` newest first. */
  readonly sort: FeedSort
  readonly layout: FeedLayout
  /** Whether links to the next entries are wanted when there are more than `perPage`. */
  readonly paginate: boolean
  /** 1 to 100. */
  readonly perPage: number
  /** Only pages of the navigation bar. */
  readonly navbar: boolean
  readonly monthFacet: boolean
  readonly tagFacet: boolean
}

const PER_PAGE_MAX = 100
const PER_PAGE_WHEN_PAGED = 5
const LAYOUTS = ['card', 'list', 'grid', 'masonry', 'justified'] as const
const SELECTS = ['dir', 'child', 'parents'] as const
const SORTS = ['path', 'created', 'changed', 'random'] as const

/**
 * The listing that an `indexfeed` block asks for on the page at `path`.
 *
 * Forms of rm3 0.x stored texts, so `"true"` is true and `""` is absent; what cannot be understood is as if absent.
 */
export function feedNeed(block: unknown, path: string, key: string): FeedNeed {
  const fields = isJsonObject(block) ? block : {}
  const paginate = isTrue(fields['pagination'])
  return {
    key,
    rootPath: rootPath(fields, path),
    select: oneOf(SELECTS, fields['query']) ?? 'dir',
    proto: textOf(fields['proto']),
    sort: oneOf(SORTS, fields['sort']) ?? 'path',
    layout: oneOf(LAYOUTS, fields['partial']) ?? 'card',
    paginate,
    perPage: count(fields['perPage']) ?? (paginate ? PER_PAGE_WHEN_PAGED : PER_PAGE_MAX),
    navbar: isTrue(fields['navbar']),
    monthFacet: isTrue(fields['monthFacet']),
    tagFacet: isTrue(fields['tagFacet']),
  }
}

/** `rootPath` says that the site's root is meant, or which page; `child` names a page below that. */
function rootPath(fields: Readonly<Record<string, unknown>>, path: string): string {
  const root = fields['rootPath']
  const named = textOf(root)
  const start = isTrue(root)
    ? 'wh'
    : named !== null && named !== 'false' && isPath(named)
      ? named
      : path
  const child = textOf(fields['child'])
  return child !== null && isPath(child) ? `${start}.${child}` : start
}

function oneOf<T extends string>(choices: readonly T[], value: unknown): T | null {
  return choices.find(choice => choice === value) ?? null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === 'on' || value === '1' || value === 1
}

function count(value: unknown): number | null {
  if (value === '' || value === null || value === undefined) return null
  const number = Math.trunc(Number(value))
  return Number.isFinite(number) && number >= 1 ? Math.min(number, PER_PAGE_MAX) : null
}
