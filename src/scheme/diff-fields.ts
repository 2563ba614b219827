import type { FieldChange } from '../codec/readable-diff.ts'
import type { TextLine, TextPart } from '../codec/text-diff.ts'
import { escapeHtml, Html } from './html.ts'
import { isJsonObject, textAt } from './json.ts'

/** A changed field as the template `changes` takes it. */
export interface ShownField {
  /** For people: `Title`, `Text › block 3`. */
  readonly label: string
  /** `new`, `removed` or where it moved from; null when it was there before and is after. */
  readonly state: string | null
  readonly lines: Html
  /** The pointer of the field of the document that it is in; null where it is none. */
  readonly field: string | null
}

/** Lines shown of all fields together. */
const LINES_MAX = 5_000
/** Characters shown of one value that is not compared by lines. */
const VALUE_MAX = 20_000
const SIGNS = { added: '+', removed: '−', changed: '±', same: '' } as const
const SPOKEN = { added: 'Added', removed: 'Removed', changed: 'Changed', same: '' } as const

/** Stored beside a source and made from it: no change of its own. */
export const DERIVED = /\/htmlslabs(\/|$)/
/** Which tag of several it is says nothing to a reader. */
const TAG_NUMBER = /^(\/tags\/[^/]*)\/\d+$/
const LABELS: Readonly<Record<string, string>> = {
  '/path': 'Place',
  '/state': 'State',
  '/proto': 'Kind of page',
  '/hidden': 'Unlisted',
  '/summary/title': 'Title',
  '/summary/abstract': 'Abstract',
  '/summary/url': 'Address',
  '/data/posting': 'Text',
  '/data/sidebar': 'Sidebar',
  '/data/comment': 'Comment',
  '/tags/plain': 'Tags',
}

/** The changes of a document for people, in their order, without what is only derived. */
export function showFields(changes: readonly FieldChange[]): ShownField[] {
  const budget = { lines: LINES_MAX }
  return changes
    .filter(change => !DERIVED.test(change.pointer))
    .map(change => {
      const lines = linesOf(change)
      const shown = lines.slice(0, Math.max(0, budget.lines))
      budget.lines -= shown.length
      const left = lines.length - shown.length
      const markup = shown.map(showLine).join('') + (left > 0 ? skipped(left) : '')
      return {
        label: labelOf(change.pointer),
        state: stateOf(change),
        lines: new Html(markup),
        field: fieldOf(change.pointer),
      }
    })
}

/** `/summary/title`, `/data/posting`, `/hidden`: what is brought back as a whole. */
function fieldOf(pointer: string): string | null {
  if (pointer === '/path' || pointer === '/state') return null
  return /^\/[^/]+(?:\/[^/]+)?/.exec(pointer)?.[0] ?? null
}

function stateOf(change: FieldChange): string | null {
  switch (change.kind) {
    case 'added':
      return 'new'
    case 'removed':
      return 'removed'
    case 'moved':
      return `moved from ${labelOf(change.from)}`
    default:
      return null
  }
}

function linesOf(change: FieldChange): readonly TextLine[] {
  switch (change.kind) {
    case 'text':
      return change.lines
    case 'added':
      return valueLines(change.after, 'added')
    case 'removed':
      return valueLines(change.before, 'removed')
    case 'changed':
      return [...valueLines(change.before, 'removed'), ...valueLines(change.after, 'added')]
    case 'moved':
      return valueLines(change.value, 'same')
  }
}

function valueLines(value: unknown, kind: 'added' | 'removed' | 'same'): TextLine[] {
  return wordsOf(value)
    .slice(0, VALUE_MAX)
    .split('\n')
    .map((text, index) => {
      const parts: TextPart[] = [{ kind, text }]
      if (kind === 'removed') return { kind, parts, oldLine: index + 1 }
      if (kind === 'added') return { kind, parts, newLine: index + 1 }
      return { kind, parts, oldLine: index + 1, newLine: index + 1 }
    })
}

/** A value in the words its author typed, where it is of a known shape: a text block by its source, a tag by its name. */
function wordsOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === true) return 'yes'
  if (value === false) return 'no'
  if (Array.isArray(value) && value.length > 0) return value.map(wordsOf).join('\n')
  if (isJsonObject(value)) {
    const known = textAt(value, '@id') || textAt(value, 'source')
    if (known !== '') return known
  }
  return JSON.stringify(value, null, 2) ?? ''
}

function showLine(line: TextLine): string {
  if (line.kind === 'skipped') return skipped(line.count)
  const moved = movedIn(line)
  if (moved !== null) return showMoved(line, moved)
  const number = 'newLine' in line ? line.newLine : line.oldLine
  const word = SPOKEN[line.kind]
  const spoken = word === '' ? '' : `<span class="unseen" dir="ltr">${word}: </span>`
  const sign = `<span class="sign" aria-hidden="true">${SIGNS[line.kind]}</span>`
  const words = line.parts.map(part => showPart(part, line.kind)).join('')
  return `<p class="${line.kind}"><span class="at">${number}</span>${sign}<span class="words" dir="auto">${spoken}${words}</span></p>\n`
}

/** How a line moved, in words; null when it did not. */
function movedIn(line: TextLine): string | null {
  if ('movedTo' in line) return `moved to line ${line.movedTo}`
  return 'movedFrom' in line ? `moved here from line ${line.movedFrom}` : null
}

function showMoved(line: Exclude<TextLine, { kind: 'skipped' }>, moved: string): string {
  const number = 'newLine' in line ? line.newLine : line.oldLine
  const way = 'newLine' in line ? 'come' : 'gone'
  const sign = `<span class="sign" aria-hidden="true">${way === 'come' ? '↳' : '↷'}</span>`
  const text = line.parts.map(part => escapeHtml(part.text)).join('')
  const told = text.trim() === '' ? '' : ` <span class="whence" dir="ltr">${moved}</span>`
  return `<p class="moved ${way}"><span class="at">${number}</span>${sign}<span class="words" dir="auto">${text}${told}</span></p>\n`
}

/** In a line that is new as a whole the words are not marked one by one. */
function showPart(part: TextPart, line: 'same' | 'added' | 'removed' | 'changed'): string {
  const text = escapeHtml(part.text)
  if (part.kind === 'same' || text === '') return text
  const whole = line === part.kind ? ' class="whole"' : ''
  return part.kind === 'added' ? `<ins${whole}>${text}</ins>` : `<del${whole}>${text}</del>`
}

function skipped(count: number): string {
  return `<p class="gap">${count} ${count === 1 ? 'line' : 'lines'} not shown</p>\n`
}

/** What people call a place in a document. */
export function labelOf(pointer: string): string {
  const steps = pointer.replace(TAG_NUMBER, '$1').split('/').slice(1).map(readable)
  for (let length = steps.length; length > 0; length--) {
    const known = LABELS[`/${steps.slice(0, length).join('/')}`]
    if (known !== undefined) return [known, ...stepsInWords(steps.slice(length))].join(' › ')
  }
  const [part = '', ...rest] = steps
  const named =
    part === 'tags' ? ['Tags', ...rest] : part === 'data' || part === 'summary' ? rest : steps
  return stepsInWords(named).join(' › ') || 'The whole page'
}

function stepsInWords(steps: readonly string[]): string[] {
  const words: string[] = []
  steps.forEach((step, index) => {
    if (step === 'blocks' || step === 'source') return
    const number = /^\d+$/.test(step) ? Number(step) + 1 : null
    if (number === null) words.push(step)
    else words.push(steps[index - 1] === 'blocks' ? `block ${number}` : `${number}`)
  })
  return words
}

function readable(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
