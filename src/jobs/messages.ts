import type { Json } from '../codec/json.ts'

/** What a thread is told when it starts; it crosses as a structured clone. */
export interface ThreadTask {
  /** The worker's compiled module. */
  readonly file: string
  readonly name: string
  readonly token: number
  /** Where its subscription is. */
  readonly position: number
  readonly dryRun: boolean
  readonly place: SitePlace
}

/** Where a site is, for a thread that opens it anew: nothing open crosses. */
export interface SitePlace {
  readonly url: string
  readonly site: string
  readonly publicBlobsFolder: string
  readonly privateBlobsFolder: string
}

/** What a thread tells. After `ended` or `failed` comes bree's own `done`, at which the thread is ended. */
export type ThreadMessage =
  | { readonly type: 'beat' }
  | { readonly type: 'say'; readonly line: string }
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'ended'; readonly report: Json }
  | {
      readonly type: 'failed'
      readonly error: string
      readonly position: number | null
      /** Whether another has the lease now. */
      readonly lost: boolean
    }

/** How often a thread shows that its event loop turns. */
export const BEAT_MS = 2_000
