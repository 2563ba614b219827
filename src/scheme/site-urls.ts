const LABEL = /^[A-Za-z0-9][A-Za-z0-9_]*$/
/** What begins as a path, query or fragment does, and has nothing in it that a link is not written with. */
const RELATIVE = /^(?:[/?#.][^\s<>"'\\]*|[\w-][^\s<>"'\\:]*)$/
/** Any host will do: it only tells links of the site from links elsewhere. */
const SOMEWHERE = 'https://site.invalid'

/** The site's URL of the page at dotted `path`: `wh.blog.my_post` → `/blog/my_post/`, `wh` → `/`. */
export function urlOfPath(path: string): string {
  const labels = path.split('.').slice(1)
  return labels.length === 0 ? '/' : `/${labels.join('/')}/`
}

/** The dotted path that site-relative `url` names, seen from the page at `pageUrl`; null when it names no page of the site. */
export function pathOfUrl(url: string, pageUrl: string): string | null {
  const target = resolveOnSite(url, pageUrl)
  if (target === null) return null
  const labels = target.pathname.split('/').filter(label => label !== '')
  return labels.every(label => LABEL.test(label)) ? ['wh', ...labels].join('.') : null
}

/** Whether `text` is a dotted path. */
export function isPath(text: string): boolean {
  return text.length > 0 && text.split('.').every(label => LABEL.test(label))
}

/** `url` as seen from the page at `pageUrl`; null when it leaves the site or cannot be understood. */
export function resolveOnSite(url: string, pageUrl: string): URL | null {
  try {
    const target = new URL(url, new URL(pageUrl, SOMEWHERE))
    return target.origin === SOMEWHERE ? target : null
  } catch {
    return null
  }
}

/** A link for a reader, or null when `url` is none that may be followed: only http, https, mailto and site-relative ones. */
export function safeLink(url: unknown): string | null {
  if (typeof url !== 'string') return null
  const text = url.trim()
  if (RELATIVE.test(text)) return resolveOnSite(text, '/') === null ? null : text
  try {
    const target = new URL(text)
    return ['http:', 'https:', 'mailto:'].includes(target.protocol) ? target.href : null
  } catch {
    return null
  }
}

/** `url` with `query` added before its fragment; the same when `query` is empty. */
export function withQuery(url: string, query: string): string {
  if (query === '') return url
  const [before = '', fragment] = url.split('#', 2)
  const joined = `${before}${before.includes('?') ? '&' : '?'}${query}`
  return fragment === undefined ? joined : `${joined}#${fragment}`
}
