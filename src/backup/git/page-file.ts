import type { Json, JsonObject } from '../../codec/json.ts'
import { checkImportedDocument } from '../../content/check-document.ts'
import type { Document } from '../../content/document.ts'
import { Rm3Error } from '../../errors.ts'
import { readFrontMatter } from './front-matter.ts'

/** The version of what stands in the files, in their member `rm3`. */
const VERSION = 1
const SUFFIXES: Readonly<Record<string, string>> = { markdown: '.md', html: '.html' }
const FORMATS: Readonly<Record<string, string>> = { '.md': 'markdown', '.html': 'html' }

/** A document as a file that people read and edit. */
export interface PageFile {
  readonly suffix: string
  readonly text: string
}

/**
 * A page as a file: a text in Markdown or HTML as that, below front matter that has everything else; any other page as JSON.
 * `readPageFile` gives the same document.
 */
export function writePageFile(document: Document): PageFile {
  const posting = postingOf(document)
  if (posting === null) {
    return { suffix: '.json', text: `${JSON.stringify({ rm3: VERSION, ...document }, null, 1)}\n` }
  }
  const { title, abstract, ...summary } = document.summary
  const { posting: _, ...data } = document.data
  const texts = Object.entries({ title, abstract })
  const named = texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const odd = texts.filter(([, value]) => value !== undefined && typeof value !== 'string')
  const rest = { ...summary, ...Object.fromEntries(odd) } as JsonObject
  const members: [string, Json][] = [
    ['rm3', VERSION],
    ...named,
    ['proto', document.proto],
    ...(document.hidden ? [['hidden', true] as [string, Json]] : []),
    ...unlessEmpty('tags', document.tags),
    ...unlessEmpty('summary', rest),
    ...unlessEmpty('data', data),
  ]
  const lines = members.map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
  const suffix = SUFFIXES[posting.format] as string
  return { suffix, text: `---\n${lines.join('')}---\n${posting.source}` }
}

/** The document in such a file. @throws SOURCE_DAMAGED */
export function readPageFile(file: string, text: string): Document {
  const suffix = /\.[a-z]+$/.exec(file)?.[0] ?? ''
  try {
    const document = suffix === '.json' ? readJsonPage(text) : readTextPage(text, FORMATS[suffix])
    return checkImportedDocument(document)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Rm3Error('SOURCE_DAMAGED', `${file} is no page of rm3: ${why}`, { file, cause })
  }
}

/** The text of a page that is nothing but a text in a format that files have; null when it is more, or less. */
function postingOf({ data }: Document): { format: string; source: string } | null {
  const posting = data['posting']
  if (typeof posting !== 'object' || posting === null || Array.isArray(posting)) return null
  const { format, source, ...others } = posting
  if (Object.keys(others).length > 0 || typeof source !== 'string') return null
  return typeof format === 'string' && Object.hasOwn(SUFFIXES, format) ? { format, source } : null
}

function unlessEmpty(name: string, value: JsonObject): [string, Json][] {
  return Object.keys(value).length > 0 ? [[name, value]] : []
}

function readJsonPage(text: string): object {
  const { rm3, ...document } = JSON.parse(text) as JsonObject
  checkVersion(rm3)
  return document
}

/** Front matter as written above, or as people have changed it since. */
function readTextPage(text: string, format: string | undefined): object {
  const { body, fields, unread } = readFrontMatter(text)
  if (unread.length > 0) throw new Error(`line ${unread[0]} of its front matter is not understood`)
  const { rm3, title, abstract, proto = 'base', hidden = false, tags = {}, summary, data } = fields
  checkVersion(rm3)
  return {
    proto,
    hidden,
    summary: {
      ...(title !== undefined && { title }),
      ...(abstract !== undefined && { abstract }),
      ...(summary as object),
    },
    data: { posting: { format: format ?? '', source: body }, ...(data as object) },
    tags,
  }
}

function checkVersion(version: Json | undefined): void {
  if (version === VERSION) return
  throw new Error(`it has no "rm3: ${VERSION}"`)
}
