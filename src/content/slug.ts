import anyAscii from 'any-ascii'
import { Rm3Error } from '../errors.ts'
import { SLUG_MAX, TITLE_MAX } from './limits.ts'

/** Labels that are never made from a title: first segments of the server's own URLs and names JavaScript gives a meaning. */
export const RESERVED_LABELS: ReadonlySet<string> = new Set([
  ...['api', 'health', 'metrics', 'assets', 'static', 'resources', 'blobs', 'admin'],
  ...['login', 'logout', 'search', 'constructor', 'prototype'],
])

/** The label of a title without a single letter or digit. */
const UNNAMED = 'page'
const TRIES_MAX = 10_000
const GERMAN: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue' }

/**
 * A label of a path made from a title in whatever script: `Über uns!` → `ueber_uns`, `日本語` → `ri_ben_yu`.
 *
 * @param taken whether a label is in use already; asked again with `_2`, `_3` … behind until it is not
 * @returns 1 to 48 characters out of a-z, 0-9 and _, neither taken nor reserved
 * @throws PATH_TAKEN when 10,000 numbered labels are taken
 */
export function labelFromTitle(title: string, taken: (label: string) => boolean): string {
  const label = cut(spell(title), SLUG_MAX) || UNNAMED
  const free = (candidate: string) => !RESERVED_LABELS.has(candidate) && !taken(candidate)
  if (free(label)) return label
  for (let n = 2; n <= TRIES_MAX; n++) {
    const suffix = `_${n}`
    const candidate = cut(label, SLUG_MAX - suffix.length) + suffix
    if (free(candidate)) return candidate
  }
  throw new Rm3Error('PATH_TAKEN', `All labels made from "${label}" are taken.`, { label })
}

/** Words of a-z and 0-9 with one `_` between. */
function spell(title: string): string {
  const latin = title
    .slice(0, TITLE_MAX)
    .normalize('NFC')
    .toLowerCase()
    .replace(/[äöü]/g, letter => GERMAN[letter] ?? letter)
    // each Han character is a word of its own, or the syllables run together
    .replace(/\p{Script=Han}/gu, character => ` ${anyAscii(character)} `)
  return anyAscii(latin)
    .toLowerCase()
    .replace(/['`’]/g, '')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
}

/** `label` in at most `max` characters, cut between words unless that would take more than half. */
function cut(label: string, max: number): string {
  if (label.length <= max) return label
  const head = label.slice(0, max + 1)
  const border = head.lastIndexOf('_')
  return head.slice(0, border > max / 2 ? border : max).replace(/_+$/, '')
}
