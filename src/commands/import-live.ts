import { SYSTEM_VIEWER } from '../access/viewer.ts'
import type { SiteEvent } from '../content/events.ts'
import { leafLabel, parentPath } from '../content/path.ts'
import { labelFromTitle } from '../content/slug.ts'
import type { Entity } from '../content/state.ts'
import { listKnownEvents, readHead } from '../log/read.ts'
import { rehearsable } from '../pg/rehearse.ts'
import { Change, type Site } from './change.ts'
import {
  authorOf,
  completed,
  type ImportedAppend,
  type ImportedEvent,
  type ImportedSite,
  type ImportOptions,
  LEAVING,
} from './import.ts'
import { Expectation, proveStreams } from './import-proof.ts'
import { inTransaction } from './in-transaction.ts'

/** What an import into a site with a life of its own came to. */
export interface LiveImport extends ImportedSite {
  /** Events that were there already. */
  readonly known: number
  /** Events that had no effect any more, as of a page that was deleted here, and why. */
  readonly passedOver: readonly string[]
}

/**
 * Puts pages with their histories into a site that has others, in one transaction: all of them or none. Events that the log has are passed
 * over, so that an import is repeated without harm and goes on where it ended. What was changed here meanwhile stays in the history;
 * a page that was deleted here stays deleted.
 *
 * @param appends events of pages, each with an id that is the same every time; their `recordedAt` does not count: they are recorded now
 * @throws LOG_DAMAGED, LOG_BUSY, the reason of `signal`, what `appends` throws
 */
export async function importIntoLive(
  site: Site,
  appends: AsyncIterable<ImportedAppend>,
  options: ImportOptions = {},
): Promise<LiveImport> {
  return rehearsable(
    run => inTransaction(site, run),
    options.dryRun,
    (inside: Site) => new LiveWriter(inside).writeAll(appends, options),
  )
}

class LiveWriter {
  readonly #site: Site
  readonly #importId: string
  readonly #expectation = new Expectation()
  readonly #passedOver: string[] = []
  #known = 0

  constructor(site: Site) {
    this.#site = site
    this.#importId = site.newId()
  }

  async writeAll(
    appends: AsyncIterable<ImportedAppend>,
    options: ImportOptions,
  ): Promise<LiveImport> {
    const { signal, onProgress = () => {} } = options
    for await (const { events } of appends) {
      signal?.throwIfAborted()
      await this.#write(events)
      onProgress('writing', this.#expectation.events, 0)
    }
    const proof = await proveStreams(this.#site.db, this.#expectation, options)
    const head = await readHead(this.#site.db)
    const importId = options.dryRun || proof.events === 0 ? null : this.#importId
    return { head, proof, importId, known: this.#known, passedOver: this.#passedOver }
  }

  async #write(events: readonly ImportedEvent[]): Promise<void> {
    const ids = events.map(({ eventId }) => eventId)
    const known = new Set(await listKnownEvents(this.#site.db, ids))
    this.#known += known.size
    let change = this.#newChange()
    for (const event of events.filter(({ eventId }) => !known.has(eventId))) {
      const isLeaving = LEAVING.has(event.type)
      if (isLeaving) {
        await change.commit()
        change = this.#newChange()
      }
      await this.#add(change, event)
      if (isLeaving) {
        await change.commit()
        change = this.#newChange()
      }
    }
    await change.commit()
  }

  #newChange(): Change {
    return new Change(this.#site, { viewer: SYSTEM_VIEWER, door: 'import' })
  }

  async #add(change: Change, event: ImportedEvent): Promise<void> {
    const entity = await change.entity(event.stream)
    const settled = await settle(change, event, entity)
    if (typeof settled === 'string') {
      this.#passedOver.push(settled)
      return
    }
    change.record([await completed(change, settled)], authorOf(settled, this.#importId))
    this.#expectation.add(settled, change.events.at(-1) as SiteEvent, null)
  }
}

/** The event as it fits what the page is now; or why it is passed over. */
async function settle(
  change: Change,
  event: ImportedEvent,
  entity: Entity | null,
): Promise<ImportedEvent | string> {
  if (event.type === 'PageCreated') {
    if (entity !== null) return `${entity.path} is there already`
    return { ...event, data: { ...event.data, path: await freePath(change, event.data.path) } }
  }
  if (entity === null) return `${event.type}: its page is not there`
  if (event.type === 'PageUndeleted') {
    if (entity.state !== 'deleted') return `${entity.path} is not deleted here`
    return { ...event, data: { path: await freePath(change, event.data.path) } }
  }
  if (entity.state === 'deleted') return `${entity.path} was deleted here: ${event.type}`
  if (event.type === 'PageMoved') {
    if (event.data.to === entity.path) return `${entity.path} was moved here already`
    const to = await freePath(change, event.data.to)
    return { ...event, data: { from: entity.path, to } }
  }
  if (event.type !== 'PageRevised') return event
  const base = entity.live?.revision ?? entity.tipRevision
  return { ...event, data: { ...event.data, base } }
}

/** The path, or one like it with a number where a page is at it. */
async function freePath(change: Change, path: string): Promise<string> {
  if ((await change.liveIdAt(path)) === null) return path
  const parent = parentPath(path) ?? path
  const taken = new Set([leafLabel(path)])
  for (;;) {
    const label = labelFromTitle(leafLabel(path), it => taken.has(it))
    if ((await change.liveIdAt(`${parent}.${label}`)) === null) return `${parent}.${label}`
    taken.add(label)
  }
}
