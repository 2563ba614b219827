import type { LogPlace } from '../../log/raw.ts'

/** What stands in the header of an archive: enough to know whether it is the one that is wanted. */
export interface ArchiveHeader {
  readonly format: 'rm3-archive'
  readonly version: 1
  /** Where it begins; position 0 and zeroes for a whole log. */
  readonly parent: LogPlace
  /** Where it ends. */
  readonly head: LogPlace & {
    /** RFC 3339; null for an empty log. */
    readonly recordedAt: string | null
  }
}

export type BlobCategory = 'public' | 'private'

/** A blob that events of the archive speak of. */
export interface ArchivedBlob {
  /** 64 hexadecimal digits. */
  readonly sha256: string
  readonly category: BlobCategory
  readonly sizeBytes: number
  /** Its bytes were not in the store when the archive was written. */
  readonly missing?: true
}

/** What the end frame says. */
export interface ArchiveEnd {
  readonly events: number
  /** With their bytes, those that are missing not counted. */
  readonly blobs: number
  readonly blobBytes: number
  readonly missingBlobs: number
  readonly secrets: number
  /** Whence and when: the only thing in which two archives of the same range of the same log differ. */
  readonly run: ArchiveRun
}

export interface ArchiveRun {
  /** PostgreSQL schema of the site. */
  readonly site: string
  readonly epoch: string
  /** RFC 3339. */
  readonly created: string
  /** Version of rm3. */
  readonly program: string
}
