import type { Head } from './frame.ts'
import { urlOfPath } from './site-urls.ts'
import type { PageView } from './views.ts'

/** What search engines and previews are told of a page. */
export function headOfPage(view: PageView, title: string, description: string): Head {
  const { page, frame } = view
  const { origin } = frame.site
  const canonical = origin === null ? null : origin + urlOfPath(page.path)
  return {
    title,
    description,
    canonical,
    noindex: page.document.hidden || view.revision !== null || frame.asOf !== null,
    alternates: view.alternates,
    properties: propertiesOf(view, { title, description, canonical }),
  }
}

function propertiesOf(
  view: PageView,
  told: { readonly title: string; readonly description: string; readonly canonical: string | null },
): { name: string; value: string }[] {
  const { page, frame, picture, audio } = view
  const { proto } = page.document
  const article = proto === 'blog' || proto === 'blogsidebar'
  const absolute = (url: string) =>
    /^https?:/i.test(url) ? url : frame.site.origin === null ? null : frame.site.origin + url
  const values: readonly (readonly [string, string | null])[] = [
    ['og:title', told.title],
    ['og:type', article ? 'article' : proto === 'user' ? 'profile' : 'website'],
    ['og:site_name', frame.site.name],
    ['og:url', told.canonical],
    ['og:description', told.description || null],
    ['og:image', picture && absolute(picture.url)],
    ['og:audio', audio && absolute(audio.url)],
    ['article:published_time', article ? page.created : null],
    ['article:modified_time', article ? page.modified : null],
    ['twitter:card', picture ? 'summary_large_image' : 'summary'],
  ]
  return values.flatMap(([name, value]) => (value === null ? [] : [{ name, value }]))
}
