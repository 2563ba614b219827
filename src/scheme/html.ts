const SPECIAL = /[&<>"']/
const SPECIALS = /[&<>"']/g
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Markup that may go to a reader as it is: made by the sanitiser or by this layer, never by a user.
 *
 * Templates write everything else escaped; there is no filter that turns a text into one of these.
 */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }

  toString(): string {
    return this.markup
  }
}

/** `text` for an element's content or a quoted attribute. */
export function escapeHtml(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, char => ENTITIES[char] ?? '') : text
}

/** What a template writes for `value`: `Html` as it is, nothing for null and undefined, all else as escaped text. */
export function writeValue(value: unknown): string {
  if (value instanceof Html) return value.markup
  if (value === null || value === undefined) return ''
  if (typeof value === 'object') return escapeHtml(JSON.stringify(value) ?? '')
  return escapeHtml(String(value))
}
