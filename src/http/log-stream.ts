import type { ServerResponse } from 'node:http'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readHead } from '../log/read.ts'
import type { Wakeups } from '../log/wakeups.ts'
import { FEED_MAX, readFeed } from '../queries/feed.ts'
import { feedEntryText } from './feed-text.ts'

/** A connection without events says so this often, and rights are looked at again no later. */
const HEARTBEAT_MS = 15_000
/** The log is looked at this often also without a notice: notices get lost. */
const POLL_MS = 1_000

export interface StreamOptions {
  readonly site: Site
  readonly wakeups: Wakeups | null
  /** Events after this position. */
  readonly after: number
  readonly type: string | null
  /** The viewer as of now; null once the token or the session has ended. */
  readonly viewer: () => Promise<Viewer | null>
}

/**
 * Sends the log as server-sent events (HTML standard, 9.2) until the client leaves, the reader's token or session ends, or `end` is
 * called. Rights are looked up again for every batch of events.
 *
 * @returns what ends it
 */
export function streamLog(response: ServerResponse, options: StreamOptions): () => void {
  const { site, wakeups, type } = options
  let { after } = options
  let running = false
  let again = false
  let ended = false

  const end = () => {
    if (ended) return
    ended = true
    clearInterval(poll)
    clearInterval(heartbeat)
    unsubscribe?.()
    response.end()
  }
  const look = async () => {
    const { position: head } = await readHead(site.db)
    while (!ended && after < head) {
      const viewer = await options.viewer()
      if (viewer === null) return end()
      const { items, scanned } = await readFeed(site, viewer, {
        after,
        limit: FEED_MAX,
        type,
        head,
      })
      const events = items.map(
        item => `id: ${item.position}\nevent: ${item.type}\ndata: ${feedEntryText(item)}\n\n`,
      )
      // an id alone moves Last-Event-ID past what the reader may not see
      if (items.at(-1)?.position !== scanned) events.push(`id: ${scanned}\n\n`)
      after = scanned
      if (!response.write(events.join(''))) await drained(response)
    }
  }
  const wake = () => {
    again = true
    if (running || ended) return
    running = true
    void (async () => {
      while (again && !ended) {
        again = false
        await look().catch(() => {}) // the next look comes within a second
      }
      running = false
    })()
  }
  const beat = async () => {
    if ((await options.viewer().catch(() => null)) === null) end()
    else response.write(': still here\n\n')
  }
  const poll = setInterval(wake, POLL_MS)
  const heartbeat = setInterval(() => void beat(), HEARTBEAT_MS)
  const unsubscribe = wakeups?.subscribe(wake)
  response.on('close', end)
  wake()
  return end
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
