const NEXT_MAX = 2_000
const ANY_ORIGIN = 'https://site.invalid'
/** A path of this site as a browser reads it: one slash, and no backslash, which browsers take for one. */
const LOCAL = /^\/(?![/\\])[^\\\s\p{Cc}]*$/u
/** Where nobody wants to be sent after logging in. */
const SESSION_PAGES = /^\/\$(?:login|logout)(?:\/|$)/

/** Where to go after logging in: `next` where it is a path of this site, else the front page. */
export function nextOf(next: string | null): string {
  if (next === null || next.length > NEXT_MAX || !LOCAL.test(next)) return '/'
  if (!URL.canParse(next, ANY_ORIGIN)) return '/'
  const { origin, pathname, search, hash } = new URL(next, ANY_ORIGIN)
  const url = pathname + search + hash
  return origin !== ANY_ORIGIN || !LOCAL.test(url) || SESSION_PAGES.test(pathname) ? '/' : url
}
