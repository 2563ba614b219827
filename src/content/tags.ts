import type { Document } from './document.ts'

/** One thing a page is tagged with: `object` under `predicate`, of class tag, ontag, link or geo. */
export interface Tag {
  readonly predicate: string
  readonly object: string
  readonly objectClass: string
}

/**
 * The tags of a document, without repetition, as keys that `tagOf` reads. A place (`{lat, lon, objClass: "geo"}`) has `lat,lon` as its
 * object; a tag with `noIndex: true` is left out, and so is anything that is no tag.
 */
export function tagKeys(document: Pick<Document, 'tags'>): string[] {
  const keys = new Set<string>()
  for (const [predicate, objects] of Object.entries(document.tags)) {
    if (!Array.isArray(objects)) continue
    for (const value of objects) {
      const tag = tagFrom(predicate, value)
      if (tag) keys.add(JSON.stringify([tag.predicate, tag.object, tag.objectClass]))
    }
  }
  return [...keys]
}

/** The tag that a key of `tagKeys` stands for. */
export function tagOf(key: string): Tag {
  const [predicate, object, objectClass] = JSON.parse(key) as [string, string, string]
  return { predicate, object, objectClass }
}

function tagFrom(predicate: string, value: unknown): Tag | null {
  if (typeof value !== 'object' || value === null) return null
  const { '@id': id, objClass, noIndex, lat, lon } = value as Record<string, unknown>
  if (noIndex === true) return null
  if (objClass === 'geo')
    return { predicate, object: `${String(lat)},${String(lon)}`, objectClass: 'geo' }
  if (typeof id !== 'string' && typeof id !== 'number') return null
  return {
    predicate,
    object: String(id),
    objectClass: typeof objClass === 'string' ? objClass : 'tag',
  }
}
