import type { SiteDatabase } from '../pg/bulk.ts'
import type { Chunk } from './chunks.ts'
import { runThreads } from './threads.ts'
import type { VerifiedChunk } from './verify-rows.ts'

/** What a thread is to compare. */
export interface VerifyShare {
  readonly database: SiteDatabase
  readonly chunks: readonly Chunk[]
  readonly names: readonly string[]
}

export interface VerifyInThreads {
  readonly chunks: readonly Chunk[]
  /** Projections, as they are found in each thread. */
  readonly names: readonly string[]
  readonly threads: number
  readonly signal?: AbortSignal | undefined
  readonly onChunk: (verified: VerifiedChunk) => void
}

/** Verifies chunks in threads of their own, each every n-th. @throws what a thread threw */
export async function verifyInThreads(
  database: SiteDatabase,
  { chunks, names, threads, signal, onChunk }: VerifyInThreads,
): Promise<void> {
  const shares = Array.from({ length: threads }, (_, n): VerifyShare => {
    return { database, names, chunks: chunks.filter((_, index) => index % threads === n) }
  })
  await runThreads<VerifiedChunk>('verify-thread', shares, { signal, onResult: onChunk })
}
