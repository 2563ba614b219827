import type { Document, Json, JsonObject } from '../content/document.ts'

/** What a page of the demonstration site says. `text` is Markdown. */
export interface DemoText {
  readonly proto: string
  readonly title: string
  readonly abstract: string
  readonly text: string
  /** A block that lists other pages, below the text. */
  readonly feed?: JsonObject
  /** Free tags. */
  readonly tags?: readonly string[]
  /** Whether the page is in the navigation bar. */
  readonly navbar?: true
  /** Width and height of a picture. */
  readonly size?: { readonly width: number; readonly height: number }
}

/** The document of a text. */
export function demoDocument(of: DemoText): Document {
  const { proto, title, abstract, text, feed, tags = [], navbar, size } = of
  const markdown: Json = { format: 'markdown', source: text.trim() }
  const posting: Json =
    feed === undefined ? markdown : { format: 'section', blocks: [markdown, feed] }
  const tagged: JsonObject = {
    ...(tags.length > 0 && { plain: tags.map(tag => ({ '@id': tag, objClass: 'tag' })) }),
    ...(navbar && { navigation: [{ '@id': 'navbar', objClass: 'tag' }] }),
  }
  return {
    proto,
    hidden: false,
    summary: { title, abstract, ...(size && { size }) },
    data: { posting },
    tags: tagged,
  }
}
