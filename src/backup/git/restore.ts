import type { ImportedEvent } from '../../commands/import.ts'
import { checkBlobName } from '../../content/decide-blob.ts'
import type { Document, JsonObject } from '../../content/document.ts'
import { GRANTS_STREAM, SETTINGS_STREAM } from '../../content/events.ts'
import { parsePath } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import type { Commit } from './commits.ts'
import type { Contents } from './contents.ts'
import type { Tree } from './lineage.ts'
import { readPageFile } from './page-file.ts'
import { type GitPage, newPage } from './pages.ts'
import type { SiteModel } from './site-model.ts'
import type { Told, ToldEvent } from './trailers.ts'

/** Gives the whole text of a file. @throws SOURCE_DAMAGED */
export type ReadText = (file: string, blob: string) => Promise<string>

/**
 * Takes the commits that a backup of a site is made of back to the events they tell of: ids, authors, notes and instants as they were.
 */
export class Restorer {
  readonly #model: SiteModel
  readonly #contents: Contents
  readonly #readText: ReadText
  readonly #pages = new Map<string, GitPage>()
  readonly #eventIds = new Set<string>()

  constructor(model: SiteModel, contents: Contents, readText: ReadText) {
    this.#model = model
    this.#contents = contents
    this.#readText = readText
  }

  /**
   * The events of a commit.
   *
   * @param tree of its parent, which becomes its own
   * @throws SOURCE_DAMAGED when it tells of what cannot be
   */
  async eventsOf(commit: Commit, told: Told, tree: Tree): Promise<ImportedEvent[]> {
    const blobs = new Map(commit.changes.map(({ file, blob }) => [file, blob]))
    for (const { file, from } of commit.changes) {
      tree.delete(file)
      if (from !== null) tree.delete(from)
      this.#model.forget(from ?? file)
    }
    const events: ImportedEvent[] = []
    for (const event of told.events) {
      const file = typeof event.data['file'] === 'string' ? event.data['file'] : null
      const blob = file === null ? null : (blobs.get(file) ?? null)
      events.push(await this.#eventOf(commit, told, { event, file, blob, tree }))
    }
    return events
  }

  async #eventOf(
    commit: Commit,
    told: Told,
    { event, file, blob, tree }: Place & { event: ToldEvent },
  ): Promise<ImportedEvent> {
    const { eventId, stream, type } = event
    const damaged = (what: string) => damagedCommit(commit, `${type} ${eventId}: ${what}`)
    if (stream === GRANTS_STREAM || stream === SETTINGS_STREAM || this.#eventIds.has(eventId)) {
      throw damaged('it cannot be')
    }
    this.#eventIds.add(eventId)
    const page = this.#pages.get(stream) ?? { ...newPage(null), id: stream }
    const follows = type === 'PageCreated' ? 'none' : type === 'PageUndeleted' ? 'deleted' : 'live'
    if (page.state !== follows) throw damaged(`the page is ${page.state} then`)
    this.#pages.set(stream, page)
    page.revision++
    const data = await this.#dataOf(event, page, { file, blob, tree })
    if (data === null) throw damaged('it says something that cannot be, or its file is not there')
    const { at, actor, note, position } = told
    const meta = { import: { from: 'git', commit: commit.id, position } }
    return { type, stream, data, eventId, at, actor, note, meta } as unknown as ImportedEvent
  }

  async #dataOf(event: ToldEvent, page: GitPage, place: Place): Promise<object | null> {
    const { type, data } = event
    const { file, blob, tree } = place
    switch (type) {
      case 'PageCreated':
      case 'PageRevised': {
        const known = file === null ? undefined : tree.get(file)
        const from = blob ?? known?.blob ?? page.blob
        if (file === null || from === null) return null
        const document = readPageFile(file, await this.#readText(file, from))
        const path = type === 'PageCreated' ? parsePath(textOf(data, 'path')) : page.path
        const base = page.tip
        page.tip = page.revision
        this.#settle(page, tree, { file, blob: from, path })
        return type === 'PageCreated'
          ? createdData(path, document, data)
          : { base, document, ...(data['minor'] === true && { minor: true }), ...importedOf(data) }
      }
      case 'PageMoved':
      case 'PageUndeleted': {
        const path = parsePath(textOf(data, type === 'PageMoved' ? 'to' : 'path'))
        const from = page.path
        const now = blob ?? page.blob
        if (file === null || now === null) return null
        this.#settle(page, tree, { file, blob: now, path })
        return type === 'PageMoved' ? { from, to: path } : { path }
      }
      case 'PageDeleted': {
        page.state = 'deleted'
        const { redirect } = data
        return typeof redirect === 'string' ? { redirect } : {}
      }
      case 'BlobAttached':
        return this.#attached(data, page, place)
      case 'BlobDetached':
        checkBlobName(textOf(data, 'name'))
        return { name: textOf(data, 'name') }
      default:
        return unreachable(type)
    }
  }

  #settle(
    page: GitPage,
    tree: Tree,
    { file, blob, path }: { file: string; blob: string; path: string },
  ): void {
    Object.assign(page, { state: 'live', file, blob, path })
    tree.set(file, { blob, page })
    this.#model.know(page, file)
  }

  async #attached(
    data: JsonObject,
    page: GitPage,
    { file, blob, tree }: Place,
  ): Promise<object | null> {
    const name = textOf(data, 'name')
    checkBlobName(name)
    const known = blob ?? (file === null ? undefined : tree.get(file)?.blob)
    if (file === null || known == null) return null
    const category = data['category'] === 'private' ? 'private' : 'public'
    const stored = await this.#contents.keep(file, known, category)
    const mediaType = textOf(data, 'mediaType')
    if (stored === null || stored.sha256 !== data['sha256'] || mediaType === '') return null
    tree.set(file, { blob: known, page: null })
    this.#model.knowFile(file, { page, name, blob: known })
    return { name, sha256: stored.sha256, sizeBytes: stored.sizeBytes, mediaType, category }
  }
}

/** A file that an event speaks of, what it is after the commit if that changed it, and the files then. */
interface Place {
  readonly file: string | null
  readonly blob: string | null
  readonly tree: Tree
}

function createdData(path: string, document: Document, data: JsonObject): object {
  return { path, document, ...importedOf(data) }
}

const INSTANT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function importedOf({ number, created, modified }: JsonObject): object {
  const isInstant = (value: unknown) => typeof value === 'string' && INSTANT.test(value)
  return {
    ...(Number.isSafeInteger(number) && Number(number) > 0 && { number }),
    ...(isInstant(created) && { created }),
    ...(isInstant(modified) && { modified }),
  }
}

function textOf(data: JsonObject, name: string): string {
  const value = data[name]
  return typeof value === 'string' ? value : ''
}

function damagedCommit({ id }: Commit, what: string): Rm3Error {
  return new Rm3Error('SOURCE_DAMAGED', `the commit ${id} is no backup of a site: ${what}`, {
    commit: id,
  })
}

function unreachable(type: never): never {
  throw new Error(`unknown event ${JSON.stringify(type)}`)
}
