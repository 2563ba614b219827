import type { FeedEntry } from '../queries/feed.ts'

/** An entry of the feed as JSON text of one line; its payload is put in as it is in the log. */
export function feedEntryText({ data, ...entry }: FeedEntry): string {
  const head = JSON.stringify(entry)
  // a payload is JSON of one line as we write it; one that an import took over may have line breaks between tokens
  const payload = data === null ? 'null' : data.replaceAll(/[\r\n]+/g, ' ')
  return `${head.slice(0, -1)},"data":${payload}}`
}
