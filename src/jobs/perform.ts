import { pathToFileURL } from 'node:url'
import { openBlobStore } from '../blobs/store.ts'
import type { Json } from '../codec/json.ts'
import type { Site } from '../commands/change.ts'
import type { SiteEvent } from '../content/events.ts'
import { upcast } from '../content/upcast.ts'
import { readTypes } from '../log/read.ts'
import { connectSite } from '../open-site.ts'
import type { Db } from '../pg/db.ts'
import { discoverProjections } from '../projector/discover.ts'
import { scrubSlice } from '../projector/scrub.ts'
import { workerCommands } from './commands.ts'
import {
  BATCH_MAX,
  isSubscribed,
  type RunContext,
  type SubscribedWorker,
  TIMEOUT_MS,
  type Worker,
  type WorkerCommands,
} from './define.ts'
import { advanceCheckpoint } from './lease.ts'
import type { SitePlace, ThreadMessage, ThreadTask } from './messages.ts'
import { runProgram } from './run-program.ts'

/** A run failed at some event. */
export class Failed extends Error {
  /** Position of the first event of its batch. */
  readonly position: number | null

  constructor(cause: unknown, position: number) {
    super('the batch failed', { cause })
    this.position = position
  }
}

const CONNECTIONS_MAX = 3
const CLOSE_MS = 2_000

/** One run of a worker, in the thread it has to itself. @throws what it throws; `Failed` for a batch of events; LEASE_LOST */
export async function perform(
  task: ThreadTask,
  signal: AbortSignal,
  post: (message: ThreadMessage) => void,
): Promise<Json> {
  const { default: worker } = (await import(pathToFileURL(task.file).href)) as { default: Worker }
  const { url, site: schema } = task.place
  const projections = await discoverProjections()
  const applicationName = `rm3 worker ${task.name}`
  const { site, close } = await connectSite(
    { url, site: schema, connectionsMax: CONNECTIONS_MAX, applicationName },
    projections,
  )
  const scrub = (until: AbortSignal) =>
    scrubSlice({ url, site: schema, projections, signal: until })
  try {
    const program: WorkerCommands['program'] = (name, args) =>
      runProgram(task.place, [name, ...args], signal)
    const context = await contextOf(task, workerCommands(site, task.name, { scrub, program }), {
      site,
      signal,
      post,
    })
    if (isSubscribed(worker)) return await follow(worker, task, context)
    return (await worker.run(context)) ?? null
  } finally {
    await Promise.race([close(), new Promise(resolve => setTimeout(resolve, CLOSE_MS))])
  }
}

async function contextOf(
  { place, dryRun }: ThreadTask,
  commands: WorkerCommands,
  {
    site,
    signal,
    post,
  }: { site: Site; signal: AbortSignal; post: (message: ThreadMessage) => void },
): Promise<RunContext> {
  return {
    db: site.db,
    commands,
    blobs: await storesIn(place),
    ...{ signal, dryRun, now: site.now },
    say: line => post({ type: 'say', line }),
    progress: (done, total) => post({ type: 'progress', done, total }),
  }
}

async function storesIn({ publicBlobsFolder, privateBlobsFolder }: SitePlace) {
  return {
    public: await openBlobStore(publicBlobsFolder),
    private: await openBlobStore(privateBlobsFolder),
  }
}

/** Gives a worker its events, batch by batch, until the log ends or half the time of a run is over: then it is soon due again. */
async function follow(
  worker: SubscribedWorker,
  task: ThreadTask,
  context: RunContext,
): Promise<Json> {
  const { on, batchMax = BATCH_MAX } = worker.subscription
  const until = Date.now() + (worker.timeoutMs ?? TIMEOUT_MS) / 2
  const lease = { ...task, due: null, tries: 0 }
  const move = async (to: number) => {
    if (to === position) return
    await advanceCheckpoint(context.db, lease, { from: position, to })
    position = to
  }
  let [position, given] = [task.position, 0]
  while (Date.now() < until) {
    context.signal.throwIfAborted()
    const { events, scanned } = await nextEvents(context.db, position, on)
    if (scanned === position) break
    for (const batch of inBatches(events, batchMax)) {
      await give(worker, context, batch)
      await move(batch.at(-1)?.position ?? position)
      given += batch.length
      if (Date.now() > until) return { events: given }
    }
    await move(scanned)
  }
  return { events: given }
}

async function nextEvents(
  db: Db,
  after: number,
  types: readonly string[],
): Promise<{ events: SiteEvent[]; scanned: number }> {
  const { events, scanned } = await readTypes(db, after, types)
  // what was erased has nothing left to act on
  return {
    events: events.filter(event => event.data !== null).map(event => upcast(event)),
    scanned,
  }
}

function inBatches(events: readonly SiteEvent[], most: number): SiteEvent[][] {
  const batches: SiteEvent[][] = []
  for (let from = 0; from < events.length; from += most)
    batches.push(events.slice(from, from + most))
  return batches
}

async function give(
  worker: SubscribedWorker,
  context: RunContext,
  events: readonly SiteEvent[],
): Promise<void> {
  context.signal.throwIfAborted()
  try {
    await worker.run({ ...context, events })
  } catch (cause) {
    throw new Failed(cause, events[0]?.position ?? 0)
  }
}
