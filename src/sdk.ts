/** What projections, workers and plugins build on: `import { defineProjection } from 'rm3'`. */
export { listOldBlobs, removeOldBlob } from './blobs/collect.ts'
export { type BlobStore, type BlobStores, removePartials } from './blobs/store.ts'
export type { Json, JsonObject } from './codec/json.ts'
export { hashDocument } from './codec/json.ts'
export { pack, unpack } from './codec/pack.ts'
export type { Carried } from './content/decide-schedule.ts'
export {
  type Document,
  documentFrom,
  documentOf,
  headingOf,
  partOf,
  type Stored,
} from './content/document.ts'
export { GRANTS_STREAM, SETTINGS_STREAM, type SiteEvent } from './content/events.ts'
export { type Hyperlink, hyperlinksOf, keyOfLink, mayLink } from './content/hyperlinks.ts'
export { keepState } from './content/kept-state.ts'
export { IDEMPOTENCY_HOURS, SESSION_IDLE_DAYS } from './content/limits.ts'
export { parentPath } from './content/path.ts'
export { compilePattern } from './content/pattern.ts'
export { type Prose, proseOf } from './content/prose.ts'
export { type Entity, isKeyframe, own, type State } from './content/state.ts'
export { tagOf } from './content/tags.ts'
export { isUser } from './content/user.ts'
export { changedWords } from './content/wording.ts'
export { type ErrorCode, Rm3Error } from './errors.ts'
export { nextTime } from './jobs/cron.ts'
export {
  type Deed,
  defineWorker,
  type RunContext,
  type Schedule,
  type ScheduledWorker,
  type Scrubbed,
  type SubscribedWorker,
  type Subscription,
  type Worker,
  type WorkerCommands,
} from './jobs/define.ts'
export { type Db, find, one, plannedAnew } from './pg/db.ts'
export { gathered } from './pg/gathered.ts'
export {
  close,
  defineProjection,
  drop,
  type EntityProjection,
  FOREVER,
  type OrderedProjection,
  type Projection,
  put,
  type Row,
  type RowChange,
  type Step,
} from './projector/define.ts'
