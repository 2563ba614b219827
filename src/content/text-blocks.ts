import { piecesOf } from '../codec/segments.ts'
import type { Document, Json, JsonObject, Stored } from './document.ts'

/** A text of a document in the format its author wrote it in. */
export interface TextBlock {
  readonly format: 'markdown' | 'html' | 'plainishtext'
  readonly source: string
}

/** A `TextBlock` of a stored document, its source in the pieces in which it is kept. */
export interface StoredBlock extends Pick<TextBlock, 'format'> {
  readonly pieces: readonly string[]
}

/** Sections within sections, and blocks of a document. */
const DEEP_MAX = 8
const BLOCKS_MAX = 1_000

/** Members of `data` that are a reader's or an author's HTML, without a format. */
const HTML_MEMBERS = ['comment', 'description']

/** All texts of a document that readers see as its content, in the order of its members; not its title and abstract. */
export function textBlocksOf({ data }: Document): TextBlock[] {
  return blocksIn(data, piecesOfPlain).map(({ format, pieces }) => ({
    format,
    source: joined(pieces),
  }))
}

/** As `textBlocksOf`, of a document as it is stored: nothing is put together that patches left alone. */
export function storedBlocksOf(stored: Stored): StoredBlock[] {
  return blocksIn((stored as { data: JsonObject }).data, piecesOfStored)
}

/** The pieces of a text; null of what is none. */
type Read = (value: Json | undefined) => readonly string[] | null

const piecesOfPlain: Read = value => (typeof value === 'string' ? [value] : null)
const piecesOfStored: Read = value => (isObject(value) ? piecesOf(value) : piecesOfPlain(value))

function blocksIn(data: JsonObject, read: Read): StoredBlock[] {
  const blocks: StoredBlock[] = []
  for (const [name, member] of Object.entries(data)) {
    const pieces = read(member)
    if (pieces === null) collect(member, { depth: 0, read, blocks })
    else if (HTML_MEMBERS.includes(name)) blocks.push({ format: 'html', pieces })
  }
  return blocks
}

interface Collecting {
  readonly depth: number
  readonly read: Read
  readonly blocks: StoredBlock[]
}

function collect(block: Json | undefined, { depth, read, blocks }: Collecting): void {
  if (!isObject(block) || depth > DEEP_MAX || blocks.length >= BLOCKS_MAX) return
  const format = read(block['format'])
  if (format === null) return
  const name = joined(format)
  if (name === 'section') {
    const inner = block['blocks']
    if (!Array.isArray(inner)) return
    for (const one of inner) collect(one, { depth: depth + 1, read, blocks })
  } else if (name !== 'indexfeed') {
    const pieces = read(block['source'])
    if (pieces === null) blocks.push({ format: 'html', pieces: slabsOf(block, read) })
    else if (name === 'markdown' || name === 'html') blocks.push({ format: name, pieces })
    else blocks.push({ format: 'plainishtext', pieces })
  }
}

/** What rm3 0.x kept as HTML of texts without a source. */
function slabsOf({ htmlslabs }: JsonObject, read: Read): string[] {
  if (!Array.isArray(htmlslabs)) return []
  return htmlslabs.flatMap(slab => read(slab) ?? [])
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function joined(pieces: readonly string[]): string {
  return pieces.length === 1 ? (pieces[0] as string) : pieces.join('')
}
