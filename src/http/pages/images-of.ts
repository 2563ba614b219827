import type { Document } from '../../content/document.ts'
import type { NamedPage } from '../../queries/named-pages.ts'
import { excerpt } from '../../scheme/excerpt.ts'
import type { SiteImage } from '../../scheme/images.ts'
import { needsOf } from '../../scheme/needs.ts'
import { urlOfPath, withQuery } from '../../scheme/site-urls.ts'
import type { Picture } from '../../scheme/views.ts'
import { namedIn } from './around.ts'
import { linkQueryOf, type Scene, urlIn } from './scene.ts'

/** Pages that are shown by their file. */
export const SHOWN_BY_FILE = new Set(['photo', 'vectorgraphic'])
const EXCERPT_MAX = 300

/** The address of a file of a page. */
export function fileUrl(scene: Scene, page: NamedPage): string {
  const name = encodeURIComponent(page.file ?? '')
  return withQuery(`${urlOfPath(page.path)}$file/${name}`, linkQueryOf(scene))
}

/** The picture that a page shows; null for one that shows none. */
export function pictureOf(scene: Scene, page: NamedPage | undefined): Picture | null {
  if (page === undefined || page.file === null || !SHOWN_BY_FILE.has(page.proto)) return null
  return { url: fileUrl(scene, page), width: null, height: null }
}

/** A page's picture as texts of other pages show it; null where there is none. */
export function siteImage(scene: Scene, page: NamedPage | undefined): SiteImage | null {
  const picture = pictureOf(scene, page)
  if (page === undefined || picture === null) return null
  return {
    ...picture,
    pageUrl: urlIn(scene, page.path),
    alt: page.title,
    title: page.title,
    description: excerpt(page.abstract, EXCERPT_MAX),
  }
}

/** The pictures in the texts of a document, by path, as of a position, as far as the viewer may see them then. */
export async function imagesThen(
  scene: Scene,
  { document, position }: { document: Document; position: number },
): Promise<Record<string, SiteImage | null>> {
  const when = { position, recordedAt: '-infinity', settled: true }
  const then: Scene = { ...scene, when }
  const subject = { path: scene.path, url: urlIn(then, scene.path), document, linkQuery: '' }
  const { images } = needsOf(scene.pages.scheme, subject)
  const named = await namedIn(then, images)
  return Object.fromEntries(images.map(path => [path, siteImage(then, named.get(path))]))
}
