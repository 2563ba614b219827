import { escapeHtml, Html } from './html.ts'
import type { Moment } from './moments.ts'
import type { Person } from './views.ts'

// Made here and not in templates: a listing has dozens, and every expression of a template costs about 2 µs.

/** A person's name, with a link to the person's page when there is one; `Someone` for null. */
export function personLink(person: Person | null): Html {
  if (person === null) return new Html('Someone')
  const name = escapeHtml(person.name)
  return person.url === null
    ? new Html(`<span dir="auto">${name}</span>`)
    : new Html(`<a href="${escapeHtml(person.url)}" dir="auto">${name}</a>`)
}

/** `<time>` saying as much of `moment` as `words` asks for. */
export function timeTag(moment: Moment, words: 'day' | 'time' | 'full'): Html {
  const text = escapeHtml(moment[words])
  return new Html(`<time datetime="${escapeHtml(moment.iso)}">${text}</time>`)
}

/** An entry's title as a link; for a page that is a link, to its target, followed by one to the page. */
export function titleLink(entry: {
  readonly title: string
  readonly url: string
  readonly linkUrl: string
  readonly outside: boolean
}): Html {
  const title = escapeHtml(entry.title)
  const rel = entry.outside ? ' rel="noopener ugc"' : ''
  const link = `<a class="name" href="${escapeHtml(entry.linkUrl)}"${rel} dir="auto">${title}</a>`
  if (entry.linkUrl === entry.url) return new Html(link)
  const label = ` aria-label="About the link ${title}"`
  return new Html(`${link} <a class="quiet" href="${escapeHtml(entry.url)}"${label}>(via)</a>`)
}
