import type { Site } from '../commands/change.ts'
import type { Speaker } from '../commands/login.ts'
import type { Appends } from '../log/append-watch.ts'
import type { Wakeups } from '../log/wakeups.ts'
import type { Claim } from './idempotency.ts'

/** What the web server is built from. */
export interface HttpContext {
  readonly site: Site
  /** Tells when the log has grown; null: only looking every second. */
  readonly wakeups: Wakeups | null
  /** What this process writes to the log; null: not watched. */
  readonly appends: Appends | null
  readonly options: HttpOptions
}

export interface HttpOptions {
  /** Proxies whose X-Forwarded headers are believed (`RM3_DANGER_TRUST_PROXY`). */
  readonly trustProxy: false | number | readonly string[]
  /** Log in over plain HTTP from other machines (`RM3_DANGER_DISABLE_HTTPS_CHECKS`). */
  readonly httpsChecksDisabled: boolean
  /** Key of CSRF tokens; null: they follow from the session alone. */
  readonly sessionSecret: string | null
  /** Where files are that belong to pages (`RM3_LOCAL_BLOBS`); null: none can be sent or had. */
  readonly publicBlobsFolder: string | null
  /** Where those are that only editors may have (`RM3_PRIVATE_BLOBS`); null as above. */
  readonly privateBlobsFolder: string | null
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  /** Where log lines go, instead of standard output. */
  readonly logStream?: { write(line: string): void }
}

export const HTTP_DEFAULTS: HttpOptions = {
  trustProxy: false,
  httpsChecksDisabled: false,
  sessionSecret: null,
  publicBlobsFolder: null,
  privateBlobsFolder: null,
  logLevel: 'silent',
}

/**
 * The right that a route asks for; it is asked in the commands and queries, so this says it for readers and for tests. 'public': none;
 * 'self': being logged in; 'each': each part of the request asks for its own.
 */
export type Access =
  | 'public'
  | 'self'
  | 'each'
  | 'view'
  | 'history'
  | 'post.edit'
  | 'post.delete'
  | 'grant'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route has one: the server does not start otherwise. */
    access?: Access
    /** Media types of bodies; `application/json` when not given, and none for GET, HEAD and DELETE. */
    consumes?: readonly string[]
    /** Whether Idempotency-Key is heeded. */
    idempotent?: boolean
    /** Whether a token that was looked up lately will do: only where all that happens is one `changeBy`. */
    remembered?: boolean
    /** Whether the body is long and is taken as it comes: `request.body` is the stream of its bytes. */
    streamed?: boolean
  }
  interface FastifyRequest {
    /** Whom a token or a session speaks for; null: anyone. */
    speaker: Speaker | null
    /** The rights position that a token was looked up at; null without one. */
    rightsAt: number | null
    /** Whether the token was looked up for an earlier request, so that `speaker` has to be proved by what it changes: see `changeBy`. */
    isRemembered: boolean
    /** The session's cookie value, where `speaker` comes from one. */
    sessionId: string | null
    /** The body as it was sent, kept where Idempotency-Key is given. */
    rawBody: Buffer | null
    /** The Idempotency-Key that this request holds. */
    claim: Claim | null
  }
}
