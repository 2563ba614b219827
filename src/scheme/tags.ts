import type { JsonObject } from '../content/document.ts'
import { isJsonObject, textAt } from './json.ts'
import { safeLink } from './site-urls.ts'
import type { Link } from './views.ts'

/** A tag as the template shows it. */
export interface ShownTag {
  /** What the tag says of the page (`Subject`); null for plain tags. */
  readonly predicate: string | null
  readonly title: string
  readonly url: string | null
  readonly outside: boolean
}

const TAGS_MAX = 200
const LONE_SURROGATE = /\p{Surrogate}/gu

/** The tags a reader is meant to see (those of the system are not), in the order of the document. */
export function showTags(
  tags: JsonObject,
  links: Readonly<Record<string, Link>>,
  tagUrlPrefix: string | null,
): ShownTag[] {
  const shown: ShownTag[] = []
  for (const [predicate, objects] of Object.entries(tags)) {
    if (predicate === 'navigation' || !Array.isArray(objects)) continue
    const about = predicate === 'plain' ? null : titleOf(predicate, links)
    for (const object of objects) {
      if (!isJsonObject(object)) continue
      shown.push({ predicate: about, ...showObject(object, links, tagUrlPrefix) })
    }
  }
  return shown.slice(0, TAGS_MAX)
}

function showObject(
  object: Readonly<Record<string, unknown>>,
  links: Readonly<Record<string, Link>>,
  tagUrlPrefix: string | null,
): Omit<ShownTag, 'predicate'> {
  const id = textAt(object, '@id')
  switch (object['objClass']) {
    case 'ontag':
      return { title: titleOf(id, links), url: linkOf(id, links)?.url ?? null, outside: false }
    case 'link':
      return { title: id, url: safeLink(id), outside: true }
    case 'geo':
      return {
        title: `${coordinate(object['lat'])}, ${coordinate(object['lon'])}`,
        url: null,
        outside: false,
      }
    default:
      return {
        title: id,
        url:
          tagUrlPrefix === null
            ? null
            : tagUrlPrefix + encodeURIComponent(id.replace(LONE_SURROGATE, '\ufffd')),
        outside: false,
      }
  }
}

function linkOf(path: string, links: Readonly<Record<string, Link>>): Link | undefined {
  return Object.hasOwn(links, path) ? links[path] : undefined
}

/** The page's title, else the last label of its path in words. */
function titleOf(path: string, links: Readonly<Record<string, Link>>): string {
  return linkOf(path, links)?.title ?? (path.split('.').at(-1) ?? path).replaceAll('_', ' ')
}

function coordinate(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? value.toFixed(4) : '?'
}
