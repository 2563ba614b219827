import { listAbsent } from '../../projections/links.ts'
import { isProtoUsed } from '../../projections/pages.ts'
import { demand } from '../access/viewer.ts'
import { type Document, documentOf } from '../content/document.ts'
import { hyperlinksOf } from '../content/hyperlinks.ts'
import { isPath } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { tagKeys, tagOf } from '../content/tags.ts'
import type { Change } from './change.ts'
import { pageAt } from './pages.ts'
import { readState } from './states.ts'
import { getVersion } from './versions.ts'

/**
 * Something that a document of the past goes with and that is no more: a page it leads to or is tagged with, a file of its page, or
 * its type, which no page of the site has now.
 */
export interface Missing {
  readonly kind: 'page' | 'file' | 'proto'
  /** The path, the name, the type. */
  readonly name: string
}

/**
 * What would lack if a revision came back to its page.
 *
 * @throws as `restoreRevision`
 */
export async function missingIn(
  change: Change,
  path: string,
  revision: number,
): Promise<Missing[]> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'history', entity.path)
  const { document } = await getVersion(change, entity, revision)
  const then = (await readState(change.site.db, entity.id, revision)) as Entity
  return missingFor(change, entity, { document, files: Object.keys(then.blobs) })
}

/** What a document of the past would lack if it came back to a page; of paths only those that the viewer may look at. */
export async function missingFor(
  { site, viewer }: Change,
  { path, blobs, live, tip }: Entity,
  then: { readonly document: Document; readonly files: readonly string[] },
): Promise<Missing[]> {
  const { document, files } = then
  const targets = targetsOf(document, path).filter(target => viewer.may('view', target))
  const absent = await listAbsent(site.db, targets)
  const isKnown =
    document.proto === documentOf(live?.document ?? tip).proto ||
    (await isProtoUsed(site.db, document.proto))
  const lost = files.filter(name => !Object.hasOwn(blobs, name))
  return [
    ...(isKnown ? [] : [{ kind: 'proto', name: document.proto } as const]),
    ...absent.map(name => ({ kind: 'page', name }) as const),
    ...lost.map(name => ({ kind: 'file', name }) as const),
  ]
}

/** Paths of the pages that a document leads to or is tagged with. */
function targetsOf(document: Document, path: string): string[] {
  const links = hyperlinksOf(document, path).flatMap(link =>
    link.type === 'page' ? [link.path] : [],
  )
  const tags = tagKeys(document).map(tagOf)
  const objects = tags.filter(tag => tag.objectClass === 'ontag').map(tag => tag.object)
  return [...new Set([...links, ...objects.filter(isPath)])]
}
