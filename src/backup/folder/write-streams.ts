import type { JsonObject } from '../../codec/json.ts'
import { GRANTS_STREAM, SETTINGS_STREAM } from '../../content/events.ts'
import { evolve } from '../../content/evolve.ts'
import { grantOfKey } from '../../content/evolve-site.ts'
import { isUnder } from '../../content/path.ts'
import { asRead, NO_STAND_INS, type StandIns } from '../../content/stand-ins.ts'
import type { Grants, Settings, State } from '../../content/state.ts'
import { upcast } from '../../content/upcast.ts'
import { copyHistory, type ProvableEvent } from '../../log/copy-history.ts'
import { type KeptStandIn, listStandIns } from '../../log/erase.ts'
import type { Bulk } from '../../pg/bulk.ts'
import type { Db } from '../../pg/db.ts'
import { type Chunk, listChunks } from '../../projector/chunks.ts'
import type { DurableFiles, Written } from './durable-files.ts'
import { entityFileName, type FileEntry, PERMISSIONS, SETTINGS } from './format.ts'
import { itemLine } from './item.ts'
import { headText, recordOf, recordText, TAIL_TEXT } from './record.ts'
import { Spool } from './spool.ts'
import { blobOf, isErased, type Tally } from './tally.ts'
import type { CatalogWriter } from './write-catalog.ts'

/** What of the log is written, and how much of it. */
export interface Scope {
  readonly position: number
  readonly contents: 'history' | 'snapshot'
  readonly path: string | null
}

/** Where it goes. */
export interface Output {
  readonly folder: string
  readonly files: DurableFiles
  readonly catalog: CatalogWriter
  readonly tally: Tally
}

export interface StreamsOptions {
  readonly signal?: AbortSignal | undefined
  /** Told events read. */
  readonly onEvents?: ((count: number) => void) | undefined
}

/**
 * Writes the file of every stream, in the order of their ids. The log is read by ranges of streams, each in one statement, so that no
 * snapshot is held for long; what it says up to a position does not change.
 *
 * @throws LOG_DAMAGED, DISK_FULL, the reason of `signal`
 */
export async function writeStreams(
  bulk: Bulk,
  scope: Scope,
  output: Output,
  { signal, onEvents = () => {} }: StreamsOptions,
): Promise<void> {
  let stream: OneStream | null = null
  const written = new Set<string>()
  for (const chunk of await listChunks(bulk.db, scope.position)) {
    const standIns = await standInsIn(bulk.db, chunk)
    for await (const batch of copyHistory(bulk, { ...chunk, position: scope.position })) {
      signal?.throwIfAborted()
      for (const event of batch) {
        if (stream?.id !== event.stream) {
          await stream?.end()
          stream = new OneStream(event.stream, scope, output)
          if (isOfSite(event.stream)) written.add(event.stream)
        }
        await stream.add(event, standIns.get(event.stream) ?? NO_STAND_INS)
      }
      onEvents(batch.length)
    }
  }
  await stream?.end()
  if (scope.path !== null) return
  for (const id of [GRANTS_STREAM, SETTINGS_STREAM]) {
    if (!written.has(id)) await new OneStream(id, scope, output).end()
  }
}

/** By stream. */
async function standInsIn(db: Db, chunk: Chunk): Promise<Map<string, Map<number, KeptStandIn>>> {
  const byStream = new Map<string, Map<number, KeptStandIn>>()
  for (const standIn of await listStandIns(db, chunk)) {
    const known = byStream.get(standIn.stream) ?? new Map<number, KeptStandIn>()
    byStream.set(standIn.stream, known.set(standIn.revision, standIn))
  }
  return byStream
}

function isOfSite(stream: string): boolean {
  return stream === GRANTS_STREAM || stream === SETTINGS_STREAM
}

/** One stream on its way to its file. */
class OneStream {
  readonly id: string
  readonly #scope: Scope
  readonly #output: Output
  readonly #history: Spool
  readonly #positions: number[] = []
  readonly #blobs: NonNullable<ReturnType<typeof blobOf>>[] = []
  readonly #actors = new Set<string>()
  #state: State | null = null
  #erased = 0

  constructor(id: string, scope: Scope, output: Output) {
    this.id = id
    this.#scope = scope
    this.#output = output
    this.#history = new Spool(output.folder)
  }

  async add(event: ProvableEvent, standIns: StandIns): Promise<void> {
    const lifted = upcast(asRead(event, standIns))
    this.#state = evolve(this.#state, lifted)
    this.#positions.push(event.position)
    if (isErased(event)) this.#erased++
    if (this.#scope.path !== null) this.#actors.add(event.actor)
    if (this.#scope.contents === 'snapshot') return
    const blob = blobOf(lifted.type, lifted.data)
    if (blob !== null) this.#blobs.push(blob)
    await this.#history.add(itemLine(event))
  }

  async end(): Promise<void> {
    try {
      if (this.#isWanted()) await this.#write()
    } finally {
      await this.#history.drop()
    }
  }

  /** Of the present there are no deleted entities; of a subtree nothing that ended elsewhere. */
  #isWanted(): boolean {
    const state = this.#state
    const { contents, path } = this.#scope
    if (state?.kind !== 'entity') return path === null
    if (contents === 'snapshot' && state.state === 'deleted') return false
    return path === null || isUnder(state.path, path)
  }

  async #write(): Promise<void> {
    const { tally, catalog } = this.#output
    const state = this.#state
    const events = this.#positions.length
    const isSnapshot = this.#scope.contents === 'snapshot'
    this.#addBlobs()
    const written = await this.#writeFile(this.#name(), this.#record())
    await catalog.add({ ...this.#entry(), ...written, ...(isSnapshot ? {} : { events }) })
    if (state === null) return
    tally.add(state, isSnapshot ? { events: 0, erased: 0 } : { events, erased: this.#erased })
    if (this.#scope.path === null) return
    tally.entities.add(this.id)
    for (const actor of this.#actors) tally.actors.add(actor)
  }

  #addBlobs(): void {
    if (this.#state?.kind !== 'entity') return
    const { path, blobs } = this.#state
    const present = Object.entries(blobs).map(([name, blob]) => ({ name, ...blob }))
    const wanted = this.#scope.contents === 'snapshot' ? present : this.#blobs
    for (const blob of wanted) this.#output.tally.addBlob(blob, path)
  }

  async #writeFile(name: string, record: JsonObject): Promise<Written> {
    const { files } = this.#output
    if (this.#scope.contents === 'snapshot') return files.put(name, recordText(record))
    const head = headText(record)
    const history = this.#history
    if (history.isLong) return files.putPieces(name, history.pieces(head, TAIL_TEXT))
    return files.put(name, `${head}${history.text()}${TAIL_TEXT}`)
  }

  #name(): string {
    if (this.#state?.kind === 'entity') return entityFileName(this.#state)
    return this.id === GRANTS_STREAM ? PERMISSIONS : SETTINGS
  }

  #entry(): Pick<FileEntry, 'name' | 'kind' | 'entityId' | 'path' | 'state'> {
    const name = this.#name()
    if (this.#state?.kind !== 'entity') {
      return { name, kind: this.id === GRANTS_STREAM ? 'permissions' : 'settings' }
    }
    const { id: entityId, path, state } = this.#state
    return { name, kind: 'entity', entityId, path, state }
  }

  #record(): JsonObject {
    const state = this.#state
    if (state?.kind === 'entity') {
      const positions = { at: (revision: number) => this.#positions[revision - 1] ?? 0 }
      return recordOf(state, { positions, blobs: this.#output.tally.blobs })
    }
    if (this.id === GRANTS_STREAM) return grantsRecord(state as Grants | null)
    return settingsRecord(state as Settings | null)
  }
}

/** The grants in force, as rm3 0.x listed them. */
export function grantsRecord(grants: Grants | null): JsonObject {
  const permits = Object.keys(grants?.active ?? {}).map(key => {
    const { role, permission, pattern } = grantOfKey(key)
    return { type: 'permit', role, permission, path: pattern }
  })
  return { permits }
}

/** The settings that are set. */
export function settingsRecord(settings: Settings | null): JsonObject {
  const values = Object.entries(settings?.values ?? {}).map(([key, { value }]) => ({ key, value }))
  return { settings: values }
}
