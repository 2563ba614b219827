/**
 * Paths of entities and their URLs: `wh.blog.my_post` is at `/blog/my_post/`.
 *
 * A path is 1 to 32 labels of letters, digits and `_` (first a letter or digit) with dots between. Its one spelling
 * is in lower case: text from anywhere is folded by `parsePath`, so `/Blog/` and `/blog/` can never be two pages and
 * no check of rights can be got round by another spelling. An import's capitals are folded too (rm3 0.x folded what it
 * read from a URL, so such pages could not be reached); the importer keeps the old spelling in `meta.import` and
 * refuses two paths that fold into one.
 */
import { Rm3Error } from '../errors.ts'
import { LABEL_MAX, PATH_DEPTH_MAX, PATH_MAX, URL_PATH_MAX, URL_REST_MAX } from './limits.ts'

/** Where a URL leads: the entity, the page of it (`history.html`) and what follows `/$/`. */
export interface UrlTarget {
  readonly path: string
  readonly page: string | null
  /** Percent-decoded segments after `/$/`; [] without them. */
  readonly rest: readonly string[]
  /** The URL path to redirect to when this was not the one spelling (capitals, no slash at the end); else null. */
  readonly redirect: string | null
}

/** Where the site begins: the page at `/`. All pages are at or below it, and `grant` on it is a right over the whole site. */
export const SITE_PATH = 'wh'

/** Where users are: `wh.users.<login>`. */
export const USERS_PATH = 'wh.users'

const LABEL = /^[A-Za-z0-9][A-Za-z0-9_]*$/
const PAGE = /^[A-Za-z0-9_]+\.[A-Za-z0-9_]+$/
const REST_SEGMENT = /^(?:[A-Za-z0-9_.~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})+$/
/** Escapes of what needs none or must not be there: a dot, a slash, a backslash. */
const TRICKY_ESCAPE = /%(?:2e|2f|5c)/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

/**
 * The one spelling of a dotted path.
 *
 * @returns `text` in lower case
 * @throws PATH_INVALID naming the label (`details.label`, `details.index` from 0) or the limit that is broken
 */
export function parsePath(text: string): string {
  if (text.length > PATH_MAX) {
    throw invalid(`The path is longer than ${PATH_MAX} characters.`, { length: text.length })
  }
  const labels = text.split('.')
  if (labels.length > PATH_DEPTH_MAX) {
    throw invalid(`The path has more than ${PATH_DEPTH_MAX} labels.`, { depth: labels.length })
  }
  labels.forEach(checkLabel)
  return text.toLowerCase()
}

/** Whether `value` is a path in its one spelling, as `parsePath` returns it. */
export function isPath(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > PATH_MAX) return false
  const labels = value.split('.')
  return labels.length <= PATH_DEPTH_MAX && labels.every(isLabel) && value === value.toLowerCase()
}

/** The path above: null for a path of one label. */
export function parentPath(path: string): string | null {
  const dot = path.lastIndexOf('.')
  return dot < 0 ? null : path.slice(0, dot)
}

/** The paths above one, from the top; [] for a path of one label. */
export function pathsAbove(path: string): string[] {
  const above = parentPath(path)
  return above === null ? [] : [...pathsAbove(above), above]
}

/** The last label. */
export function leafLabel(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

/** Number of labels, from 1. */
export function depthOf(path: string): number {
  return path.split('.').length
}

/** Whether `path` is `ancestor` itself or below it. */
export function isUnder(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}.`)
}

/**
 * The path of a child.
 *
 * @throws PATH_INVALID when `label` is not one label or the child would be too deep or too long
 */
export function childPath(parent: string, label: string): string {
  checkLabel(label, depthOf(parent))
  return parsePath(`${parent}.${label}`)
}

/**
 * Where `path` is after `from` was moved to `to`.
 *
 * @returns `path` itself when it is not under `from`
 * @throws PATH_INVALID when it would be too deep or too long
 */
export function movedPath(path: string, from: string, to: string): string {
  return isUnder(path, from) ? parsePath(to + path.slice(from.length)) : path
}

/**
 * The URL path of an entity, with a slash at both ends.
 *
 * @param root the path that is `/`
 * @throws PATH_INVALID when `path` is not under `root` and so has no URL
 */
export function toUrl(path: string, root = SITE_PATH): string {
  if (!isUnder(path, root)) throw invalid('The path is outside of the site.', { path, root })
  return `${path.slice(root.length).replaceAll('.', '/')}/`
}

/**
 * What a URL path leads to, by `/<label>/…/[<page>][/$/<segment>/…]`.
 *
 * Labels are never percent-encoded, so an escape in them, an empty segment, `.`, `;` and the like lead nowhere.
 *
 * @param pathname path part of the URL as it was sent: neither decoded nor normalised, without the query
 * @returns null when nothing can be there
 */
export function fromUrl(pathname: string, root = SITE_PATH): UrlTarget | null {
  if (pathname.length > URL_PATH_MAX || !pathname.startsWith('/')) return null
  const segments = pathname.slice(1).split('/')
  if (segments.at(-1) === '') segments.pop()
  const slash = pathname.endsWith('/')

  const tail = segments.indexOf('$')
  const names = tail < 0 ? segments : segments.slice(0, tail)
  const rest = tail < 0 ? [] : readRest(segments.slice(tail + 1))
  const page = PAGE.test(names.at(-1) ?? '') ? (names.pop() as string) : null
  if (rest === null || !names.every(isLabel)) return null
  if (page !== null && tail < 0 && slash) return null

  const path = [root, ...names].join('.').toLowerCase()
  if (!isPath(path)) return null
  const canonical = toUrl(path, root) + (page ?? '') + restUrl(rest, page)
  const same = pathname === canonical || (rest.length > 0 && isSpelledLike(pathname, canonical))
  return { path, page, rest, redirect: same ? null : canonical }
}

function readRest(segments: readonly string[]): string[] | null {
  if (segments.length > URL_REST_MAX) return null
  const texts = segments.map(readRestSegment)
  return texts.every(text => text !== null) ? texts : null
}

function readRestSegment(segment: string): string | null {
  if (!REST_SEGMENT.test(segment) || TRICKY_ESCAPE.test(segment)) return null
  if (segment === '.' || segment === '..') return null
  try {
    const text = decodeURIComponent(segment).normalize('NFC')
    return CONTROL.test(text) ? null : text
  } catch {
    return null
  }
}

function restUrl(rest: readonly string[], page: string | null): string {
  if (rest.length === 0) return ''
  return `${page === null ? '' : '/'}$/${rest.map(encodeURIComponent).join('/')}/`
}

/** Whether two URL paths differ only in which harmless characters are percent-encoded: no reason for a redirect. */
function isSpelledLike(pathname: string, canonical: string): boolean {
  return decodeURIComponent(pathname) === decodeURIComponent(canonical)
}

function isLabel(label: string): boolean {
  return label.length <= LABEL_MAX && LABEL.test(label)
}

function checkLabel(label: string, index: number): void {
  if (isLabel(label)) return
  const shown = label.length > 60 ? `${label.slice(0, 60)}…` : label
  const why =
    label.length > LABEL_MAX
      ? `is longer than ${LABEL_MAX} characters`
      : 'is not letters, digits and _ (beginning with a letter or digit)'
  throw invalid(`Label ${index + 1} of the path, "${shown}", ${why}.`, { label: shown, index })
}

function invalid(message: string, details: Record<string, unknown>): Rm3Error {
  return new Rm3Error('PATH_INVALID', message, details)
}
