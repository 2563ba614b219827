import type { JsonObject } from '../../codec/json.ts'
import { derivedId } from '../../commands/derived-id.ts'
import { type Document, documentOf } from '../../content/document.ts'
import type { SiteEvent } from '../../content/events.ts'
import type { Blob, Entity, Live } from '../../content/state.ts'
import { writePageFile } from './page-file.ts'
import { fileOfBlob, fileOfPath } from './site-files.ts'
import type { ToldEvent, ToldType } from './trailers.ts'

/** The bytes of a page's file, by what they are named by. */
export type ShownBlob = Pick<Blob, 'sha256' | 'sizeBytes' | 'category'>

/** A page that readers have seen. */
interface Shown {
  isLive: boolean
  path: string
  file: string
  /** Events told of it so far. */
  revision: number
  blobs: Map<string, Blob>
}

/** What readers can see of a site, as files, and what is told of each change. */
export class ShownSite {
  readonly #pages = new Map<string, Shown>()
  #events: ToldEvent[] = []
  #files = new Map<string, string | ShownBlob | null>()

  /** Takes an event and what it makes of its entity. */
  show(event: SiteEvent, entity: Entity): void {
    const shown = this.#pages.get(entity.id)
    const isLive = entity.state === 'live' && entity.live !== null
    if (shown === undefined) {
      if (isLive) this.#create(event, entity, entity.live)
    } else if (shown.isLive && !isLive) this.#remove(event, entity, shown)
    else if (isLive) this.#change(event, entity, shown, entity.live)
  }

  /** Whether something was told since the last `taken` that this event would write over: each document and each file needs a commit to be in. */
  isTold(event: SiteEvent): boolean {
    const told = this.#events.filter(({ stream }) => stream === event.stream)
    if (event.type !== 'BlobAttached' && event.type !== 'BlobDetached') return told.length > 0
    const { name } = event.data
    return told.some(({ type, data }) => type.startsWith('Blob') && data['name'] === name)
  }

  /** What was told and written since the last call. */
  taken(): { events: ToldEvent[]; files: Map<string, string | ShownBlob | null> } {
    const taken = { events: this.#events, files: this.#files }
    this.#events = []
    this.#files = new Map()
    return taken
  }

  #create(event: SiteEvent, entity: Entity, live: Live): void {
    const { path, id } = entity
    const shown: Shown = { isLive: true, path, file: '', revision: 0, blobs: new Map() }
    this.#pages.set(id, shown)
    const file = this.#write(path, documentOf(live.document))
    shown.file = file
    const created = entity.created === event.at ? {} : { created: entity.created }
    const data = { path, file, ...created, ...this.#numbersOf(event, shown, live) }
    this.#tell(event, 'PageCreated', { shown, entity, data })
    this.#showBlobs(event, entity, shown)
  }

  #remove(event: SiteEvent, entity: Entity, shown: Shown): void {
    const { redirect } = entity
    const data = { file: shown.file, ...(redirect !== null && { redirect }) }
    this.#tell(event, 'PageDeleted', { shown, entity, data })
    this.#drop(shown)
    shown.isLive = false
  }

  #change(event: SiteEvent, entity: Entity, shown: Shown, live: Live): void {
    const { path } = entity
    const isBack = !shown.isLive
    const isMoved = !isBack && shown.path !== path
    const isNew = event.type === 'PageRevised' ? !event.data.draft : event.type === 'PagePublished'
    if (isBack || isMoved) {
      if (isMoved) this.#drop(shown)
      const from = shown.path
      Object.assign(shown, { isLive: true, path })
      shown.file = this.#write(path, documentOf(live.document))
      for (const [name, blob] of shown.blobs) this.#files.set(fileOfBlob(path, name), blob)
      const data = isBack ? { path, file: shown.file } : { from, to: path, file: shown.file }
      this.#tell(event, isBack ? 'PageUndeleted' : 'PageMoved', { shown, entity, data })
    }
    if (isNew) {
      const file = this.#write(path, documentOf(live.document))
      if (file !== shown.file) this.#files.set(shown.file, null)
      shown.file = file
      const minor = event.type === 'PageRevised' && event.data.minor ? { minor: true } : {}
      const data = { file, ...minor, ...this.#numbersOf(event, shown, live) }
      this.#tell(event, 'PageRevised', { shown, entity, data })
    }
    this.#showBlobs(event, entity, shown)
  }

  #showBlobs(event: SiteEvent, entity: Entity, shown: Shown): void {
    for (const name of shown.blobs.keys()) {
      if (Object.hasOwn(entity.blobs, name)) continue
      shown.blobs.delete(name)
      const file = fileOfBlob(shown.path, name)
      this.#files.set(file, null)
      this.#tell(event, 'BlobDetached', { shown, entity, data: { name, file } })
    }
    for (const [name, blob] of Object.entries(entity.blobs)) {
      if (shown.blobs.get(name)?.since === blob.since) continue
      shown.blobs.set(name, blob)
      const { sha256, sizeBytes, mediaType, category } = blob
      const file = fileOfBlob(shown.path, name)
      this.#files.set(file, blob)
      const data = { name, sha256, sizeBytes, mediaType, category, file }
      this.#tell(event, 'BlobAttached', { shown, entity, data })
    }
  }

  #write(path: string, document: Document): string {
    const { suffix, text } = writePageFile(document)
    const file = fileOfPath(path) + suffix
    this.#files.set(file, text)
    return file
  }

  #drop({ file, path, blobs }: Shown): void {
    this.#files.set(file, null)
    for (const name of blobs.keys()) this.#files.set(fileOfBlob(path, name), null)
  }

  /** What readers know a revision by, where it does not follow from what is told. */
  #numbersOf(event: SiteEvent, shown: Shown, live: Live): JsonObject {
    const created = event.type === 'PageRevised' ? event.data.created : undefined
    return {
      ...(created !== undefined && { created }),
      ...(live.number !== shown.revision + 1 && { number: live.number }),
      ...(live.modified !== event.at && { modified: live.modified }),
    }
  }

  /** The first that is told of an event has its id; others have one that follows from it. */
  #tell(
    event: SiteEvent,
    type: ToldType,
    { shown, entity, data }: { shown: Shown; entity: Entity; data: JsonObject },
  ): void {
    shown.revision++
    const isFirst = this.#events.every(({ eventId }) => eventId !== event.eventId)
    const eventId = isFirst
      ? event.eventId
      : derivedId('git told', event.eventId, String(shown.revision))
    this.#events.push({ eventId, type, stream: entity.id, data })
  }
}
