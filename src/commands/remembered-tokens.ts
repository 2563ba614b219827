import { LRUCache } from 'lru-cache'
import type { Site } from './change.ts'
import { speakerOfToken, type TokenSpeaker } from './login.ts'

const TOKENS_MAX = 2_000
/**
 * What is remembered is proved by each append that rests on it, however old it is. It ends all the same, so that a log that lost its
 * end in a failover, and whose rights by chance changed last at the same position as before, meets no token of before.
 */
const REMEMBERED_MS = 10_000

interface Known {
  readonly speaker: TokenSpeaker
  /** By the process's own clock, which never steps back. */
  readonly untilMs: number
}

/** Whom tokens speak for, looked up lately. */
export class RememberedTokens {
  readonly #site: Site
  /** By the whole token, so that one is found or not: how much of it was right shows in nothing. */
  readonly #known = new LRUCache<string, Known>({ max: TOKENS_MAX })

  constructor(site: Site) {
    this.#site = site
  }

  /**
   * Whom a token spoke for when it was looked up lately; null when it was not, or has expired. It may have been revoked since, or its
   * user have lost rights: only for a change that is appended with `Author.rightsAt`, and of which nothing is told before.
   */
  find(token: string): TokenSpeaker | null {
    const known = this.#known.get(token)
    if (known === undefined || known.untilMs <= performance.now()) return null
    const { speaker } = known
    return speaker.expires !== null && speaker.expires <= this.#site.now() ? null : speaker
  }

  /** As `speakerOfToken`, and remembers it. */
  async lookUp(token: string): Promise<TokenSpeaker> {
    const untilMs = performance.now() + REMEMBERED_MS
    const speaker = await speakerOfToken(this.#site, token)
    this.#known.set(token, { speaker, untilMs })
    return speaker
  }
}
