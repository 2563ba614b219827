import {
  type BlobStore,
  type Db,
  defineWorker,
  listOldBlobs,
  one,
  removeOldBlob,
  removePartials,
} from 'rm3'
import { listKnownBlobs } from '../projections/blobs.ts'

/** Bytes younger than this may be on their way to a page. */
const GRACE_MS = 24 * 3_600_000
/** Blobs that one run removes at most. */
const COLLECTED_MAX = 10_000
/** Positions of the log that one statement goes through. */
const POSITIONS = 50_000

/**
 * Removes bytes that no event ever named: of uploads that failed. What is named by any event stays for ever, for the past needs it. As
 * this cannot be undone the log itself is asked, and not only the table made from it.
 */
export default defineWorker({
  name: 'collect-blobs',
  schedule: { every: '1d' },
  dryRun: true,
  run: async ({ db, blobs, signal, dryRun, progress }) => {
    const report = { looked: 0, removed: 0, bytes: 0, partials: 0 }
    for (const store of [blobs.public, blobs.private]) {
      const { looked, unknown } = await findUnknown(db, store, signal)
      report.looked += looked
      const unnamed = await withoutNamed(db, unknown, signal)
      for (const sha256 of unnamed) {
        signal.throwIfAborted()
        const bytes = dryRun ? 0 : await removeOldBlob(store, sha256, GRACE_MS)
        if (bytes === null) continue
        report.removed++
        report.bytes += bytes
        progress(report.removed, unnamed.size)
      }
      if (!dryRun) report.partials += await removePartials(store, GRACE_MS)
    }
    return report
  },
})

async function findUnknown(
  db: Db,
  store: BlobStore,
  signal: AbortSignal,
): Promise<{ looked: number; unknown: Set<string> }> {
  const unknown = new Set<string>()
  let looked = 0
  for await (const old of listOldBlobs(store, GRACE_MS)) {
    signal.throwIfAborted()
    const known = new Set(await listKnownBlobs(db, old))
    looked += old.length
    for (const sha256 of old) if (!known.has(sha256)) unknown.add(sha256)
    if (unknown.size >= COLLECTED_MAX) break
  }
  return { looked, unknown }
}

const HEAD = `select position from log_head`
const NAMED = `select distinct data->>'sha256' as sha256 from log
  where position > $1::bigint and position <= $2::bigint and type = 'BlobAttached' and data->>'sha256' = any($3::text[])`

async function withoutNamed(
  db: Db,
  unknown: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Set<string>> {
  const left = new Set(unknown)
  const { position: head } = await one<{ position: number }>(db, HEAD)
  for (let from = 0; from < head && left.size > 0; from += POSITIONS) {
    signal.throwIfAborted()
    const named = await db.rows<{ sha256: string }>(NAMED, [from, from + POSITIONS, [...left]])
    for (const { sha256 } of named) left.delete(sha256)
  }
  return left
}
