import type { Entity, State } from '../../content/state.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { blobFileName, type Counts, noCounts, type ScheduledEntry } from './format.ts'

/** A file's bytes that something in the backup refers to. */
export interface BlobUse {
  /** Its name in the backup: it lies beside the first page that has it, in the order of the files. */
  readonly file: string
  readonly sizeBytes: number
  public: boolean
  private: boolean
}

/** What the catalog tells beside the files, gathered while histories are written. */
export class Tally {
  readonly counts: Counts = noCounts()
  /** By SHA-256. */
  readonly blobs = new Map<string, BlobUse>()
  /** Credentials in force, by id, with their users. */
  readonly credentials = new Map<string, { provider: string; userId: string; userPath: string }>()
  readonly scheduled: ScheduledEntry[] = []
  /** Users who wrote something. */
  readonly actors = new Set<string>()
  /** Entities that are in the backup and wrote something: they are looked for among the actors. */
  readonly entities = new Set<string>()

  /** What a history that is in the backup holds, and how it ends. */
  add(state: State, history: { events: number; erased: number }): void {
    this.counts.events += history.events
    this.counts.erased += history.erased
    if (state.kind === 'grants') this.counts.grants = Object.keys(state.active).length
    if (state.kind === 'settings') this.counts.settings = Object.keys(state.values).length
    if (state.kind === 'entity') this.#addEntity(state)
  }

  /** @param path of the page that has it */
  addBlob({ sha256, sizeBytes, category, name }: BlobReference, path: string): void {
    let use = this.blobs.get(sha256)
    if (use === undefined) {
      const file = blobFileName(sha256, { path, name })
      use = { file, sizeBytes, public: false, private: false }
      this.blobs.set(sha256, use)
    }
    use[category] = true
  }

  #addEntity(entity: Entity): void {
    const { counts } = this
    counts.entities++
    counts[STATE_COUNTS[entity.state]]++
    counts.roles += Object.keys(entity.roles).length
    counts.scheduled += Object.keys(entity.schedules).length
    for (const [credential, { provider }] of Object.entries(entity.credentials)) {
      this.credentials.set(credential, { provider, userId: entity.id, userPath: entity.path })
    }
    for (const [schedule, { revisionId, at }] of Object.entries(entity.schedules)) {
      this.scheduled.push({ entityId: entity.id, path: entity.path, schedule, revisionId, at })
    }
  }
}

const STATE_COUNTS = { live: 'live', draft: 'drafts', deleted: 'deleted' } as const

interface BlobReference {
  readonly name: string
  readonly sha256: string
  readonly sizeBytes: number
  readonly category: 'public' | 'private'
}

/** The file that an event refers to; null when it refers to none, or was erased. */
export function blobOf(type: string, data: unknown): BlobReference | null {
  return type === 'BlobAttached' && data !== null ? (data as BlobReference) : null
}

/** Whether what an event said is not there any more. */
export function isErased({ salt }: Pick<ProvableEvent, 'salt'>): boolean {
  return salt === null
}
