import { checkJson, type Json, type JsonObject } from '../../codec/json.ts'
import { checkDocument } from '../../content/check-document.ts'
import type { Document } from '../../content/document.ts'
import { SUMMARY_MAX_BYTES, TAG_TEXT_MAX, TAGS_MAX, TITLE_MAX } from '../../content/limits.ts'
import { isRm3Error } from '../../errors.ts'
import { readFrontMatter } from './front-matter.ts'
import { readPageFile } from './page-file.ts'
import { decodeText } from './texts.ts'

/** What a file of a repository is for a site. */
export type FileKind = 'markdown' | 'html' | 'text' | 'attachment' | 'other'

/** A file's text as a page. */
export interface PageText {
  readonly document: Document
  /** Its front matter says that it is not to be published. */
  readonly isDraft: boolean
  /** What a person should know: lines that were not understood, an encoding that was guessed. */
  readonly warnings: readonly string[]
}

const KINDS: Readonly<Record<Exclude<FileKind, 'other'>, readonly string[]>> = {
  markdown: ['md', 'markdown', 'mdown', 'mkd', 'mdx'],
  html: ['html', 'htm', 'xhtml'],
  text: ['txt', 'text'],
  attachment: [
    ...['png', 'jpg', 'jpeg', 'gif', 'svg', 'webp', 'avif', 'bmp', 'ico'],
    ...['pdf', 'mp3', 'ogg', 'wav', 'mp4', 'webm'],
  ],
}
const KIND_OF = new Map(
  Object.entries(KINDS).flatMap(([kind, suffixes]) => suffixes.map(suffix => [suffix, kind])),
) as ReadonlyMap<string, FileKind>

const ABSTRACT_MAX = 4_000
const TAG_FIELDS = ['tags', 'categories', 'keywords']

/** By the suffix of its name. */
export function kindOfFile(file: string): FileKind {
  const name = file.slice(file.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? 'other' : (KIND_OF.get(name.slice(dot + 1).toLowerCase()) ?? 'other')
}

/**
 * A file as a page: its text whole and unchanged, cut only between front matter (`data.frontMatter`, as it stands there) and the rest
 * (`data.posting.source`). What the front matter says is in `data.fields`, and as title, abstract and tags where it says those.
 *
 * @returns null when it is no text (it holds NUL), or too large for a page
 */
export function pageText(file: string, bytes: Uint8Array): PageText | null {
  const { text, encoding } = decodeText(bytes)
  if (text.includes('\0')) return null
  const kind = kindOfFile(file)
  const { block, body, fields, unread } = readFrontMatter(text)
  if (fields['rm3'] !== undefined || file.endsWith('.json')) return ownPage(file, text)
  const kept = keepable(fields)
  const warnings = [
    ...(encoding === 'utf-8' ? [] : ['is not UTF-8 and was read as Windows-1252']),
    ...(unread.length === 0 && kept !== null
      ? []
      : [`has front matter that was not understood (line ${unread[0] ?? 1}); it is kept as it is`]),
  ]
  const known = kept ?? {}
  const document = documentOf(file, kind, { block, body, fields: known })
  try {
    checkDocument(document)
  } catch (thrown) {
    if (isRm3Error(thrown, 'DOCUMENT_INVALID') || isRm3Error(thrown, 'JSON_INVALID')) return null
    throw thrown
  }
  const isDraft = known['draft'] === true || known['published'] === false
  return { document, isDraft, warnings }
}

/** A page in the form in which a site is backed up, edited by hand; null when it is not in that form any more. */
function ownPage(file: string, text: string): PageText | null {
  try {
    return { document: checkDocument(readPageFile(file, text)), isDraft: false, warnings: [] }
  } catch (thrown) {
    if (isRm3Error(thrown)) return null
    throw thrown
  }
}

/** The page of a folder that has no text of its own. */
export function folderDocument(name: string): Document {
  const title = inWords(name)
  return { proto: 'base', hidden: false, summary: { title, abstract: '' }, data: {}, tags: {} }
}

interface Parts {
  readonly block: string
  readonly body: string
  readonly fields: JsonObject
}

const FORMATS: Readonly<Partial<Record<FileKind, string>>> = {
  markdown: 'markdown',
  html: 'html',
}

function documentOf(file: string, kind: FileKind, { block, body, fields }: Parts): Document {
  const title = oneLine(fields['title']) || titleIn(kind, body) || inWords(nameOf(file))
  const abstract = ['description', 'abstract', 'summary', 'excerpt']
    .map(name => fields[name])
    .find(value => typeof value === 'string')
  const tags = tagsIn(fields)
  return {
    proto: 'base',
    hidden: false,
    summary: {
      title: cut(title, TITLE_MAX),
      abstract: cut(String(abstract ?? ''), ABSTRACT_MAX),
    },
    data: {
      posting: { format: FORMATS[kind] ?? 'plainishtext', source: body },
      ...(block !== '' && { frontMatter: block }),
      ...(Object.keys(fields).length > 0 && { fields }),
    },
    tags: tags.length > 0 ? { plain: tags.map(tag => ({ '@id': tag, objClass: 'tag' })) } : {},
  }
}

function tagsIn(fields: JsonObject): string[] {
  const values = TAG_FIELDS.flatMap(name => {
    const value = fields[name] ?? []
    if (typeof value === 'string') return value.split(',')
    return Array.isArray(value) ? value : []
  })
  const texts = values
    .filter(value => typeof value === 'string' || typeof value === 'number')
    .map(value => String(value).trim())
    .filter(tag => tag !== '' && tag.length <= TAG_TEXT_MAX)
  return [...new Set(texts)].slice(0, TAGS_MAX)
}

const ATX = /^ {0,3}#{1,6}[ \t]+(\S.*)$/
const UNDERLINE = /^ {0,3}(?:={2,}|-{2,})[ \t]*$/
const FENCE = /^ {0,3}(`{3}|~{3})/
const LINE_MAX = 600
const HTML_TITLE = /<(title|h1)\b[^>]{0,200}>([\s\S]{1,1000}?)<\/\1\s*>/i
const HEAD_CHARS = 20_000

/** The first heading; '' when there is none. */
function titleIn(kind: FileKind, body: string): string {
  const head = body.slice(0, HEAD_CHARS)
  if (kind === 'html') return plain(HTML_TITLE.exec(head)?.[2] ?? '')
  return kind === 'markdown' ? plain(headingIn(head.split(/\r?\n/))) : ''
}

function headingIn(lines: readonly string[]): string {
  let fence: string | null = null
  for (const [index, line] of lines.entries()) {
    const mark = FENCE.exec(line)?.[1]
    if (mark !== undefined && (fence === null || fence === mark))
      fence = fence === null ? mark : null
    if (fence !== null || mark !== undefined || line.length > LINE_MAX) continue
    const heading = ATX.exec(line)?.[1]
    if (heading !== undefined) return heading.replace(/[ \t]+#+[ \t]*$/, '')
    const isText = line.trim() !== '' && !/^ {0,3}[-=>|+*]/.test(line)
    if (isText && UNDERLINE.test(lines[index + 1] ?? '')) return line
  }
  return ''
}

/** Without marks and tags, on one line. */
function plain(markup: string): string {
  return markup
    .replace(/<[^<>]*>/g, '')
    .replace(/!?\[([^[\]]*)\]\([^()]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .replace(/&amp;/g, '&')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/\s+/g, ' ')
    .trim()
}

function oneLine(value: Json | undefined): string {
  const isText = typeof value === 'string' || typeof value === 'number'
  return isText ? String(value).replace(/\s+/g, ' ').trim() : ''
}

function nameOf(file: string): string {
  const name = file.slice(file.lastIndexOf('/') + 1)
  return name.slice(0, name.lastIndexOf('.'))
}

function inWords(name: string): string {
  const words = name.replace(/[-_\s]+/g, ' ').trim()
  return words === '' ? 'Untitled' : words[0]?.toUpperCase() + words.slice(1)
}

function cut(text: string, max: number): string {
  return text.length <= max
    ? text
    : text
        .slice(0, max)
        .toWellFormed()
        .replace(/\ufffd$/, '')
}

/** What a document can hold; null when it cannot. */
function keepable(fields: JsonObject): JsonObject | null {
  try {
    checkJson(fields, 'front matter')
    return JSON.stringify(fields).length <= SUMMARY_MAX_BYTES ? fields : null
  } catch {
    return null
  }
}
