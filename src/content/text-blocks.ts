import type { Document, Json, JsonObject } from './document.ts'

/** A text of a document in the format its author wrote it in. */
export interface TextBlock {
  readonly format: 'markdown' | 'html' | 'plainishtext'
  readonly source: string
}

/** Sections within sections, and blocks of a document. */
const DEEP_MAX = 8
const BLOCKS_MAX = 1_000

/** Members of `data` that are a reader's or an author's HTML, without a format. */
const HTML_MEMBERS = ['comment', 'description']

/** All texts of a document that readers see as its content, in the order of its members; not its title and abstract. */
export function textBlocksOf({ data }: Document): TextBlock[] {
  const blocks: TextBlock[] = []
  for (const [name, member] of Object.entries(data)) {
    if (typeof member === 'string') {
      if (HTML_MEMBERS.includes(name)) blocks.push({ format: 'html', source: member })
    } else collect(member, 0, blocks)
  }
  return blocks
}

function collect(block: Json | undefined, depth: number, blocks: TextBlock[]): void {
  if (!isObject(block) || depth > DEEP_MAX || blocks.length >= BLOCKS_MAX) return
  const { format, source } = block
  if (format === 'section') {
    const inner = block['blocks']
    if (Array.isArray(inner)) for (const one of inner) collect(one, depth + 1, blocks)
  } else if (typeof format === 'string' && format !== 'indexfeed') {
    if (typeof source !== 'string') blocks.push({ format: 'html', source: slabsOf(block) })
    else if (format === 'markdown' || format === 'html') blocks.push({ format, source })
    else blocks.push({ format: 'plainishtext', source })
  }
}

/** What rm3 0.x kept as HTML of texts without a source. */
function slabsOf({ htmlslabs }: JsonObject): string {
  if (!Array.isArray(htmlslabs)) return ''
  return htmlslabs.filter(slab => typeof slab === 'string').join('')
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
