import type { BlobStores, StoredBlob } from '../../blobs/store.ts'
import type { PageText } from './page-document.ts'

/** What files say. */
export interface Contents {
  /** null when it can be no page: it is no text, or too large. */
  text(file: string, blob: string): Promise<PageText | null>
  /** Keeps the bytes of an attachment; null when they are too many. @param category `public` when not given */
  keep(file: string, blob: string, category?: keyof BlobStores): Promise<StoredBlob | null>
}
