import type { BlobStores } from '../blobs/store.ts'
import type { ProvableEvent } from '../log/copy-history.ts'
import { NO_PLACE, type RawEvent } from '../log/raw.ts'
import type { SiteDatabase } from '../pg/bulk.ts'
import { type Beside, blobsIn } from './beside.ts'
import { type Restored, type RestoreOptions, restoreSite } from './restore.ts'

/** A log that was made of what is in a backup. */
export interface MadeLog {
  /** From position 1, with a chain of their own. */
  readonly events: readonly ProvableEvent[]
  readonly beside: Beside
  readonly stores: BlobStores
}

/**
 * Loads a log that was made of what is in a backup into an empty site: of an edited one, or of a part.
 *
 * @throws what `restoreSite` and `Beside.putBlobs` throw
 */
export async function restoreEvents(
  database: SiteDatabase,
  { events, beside, stores }: MadeLog,
  options: RestoreOptions,
): Promise<Restored> {
  const { position, chain } = events.at(-1) ?? NO_PLACE
  const payloads = events.map(({ type, data }) => ({ type, data: payloadOf(data) }))
  const kept = new Set<unknown>()
  for (const { type, data } of payloads) {
    if (type === 'CredentialSet') kept.add(data?.['credential'])
    if (type === 'CredentialRemoved') kept.delete(data?.['credential'])
  }
  const part = {
    parent: NO_PLACE,
    head: { position, chain },
    open: async () => {
      const { signal } = options
      if (!options.dryRun) await beside.putBlobs(blobsIn(payloads), stores, { signal })
      const secrets = beside.secrets().filter(({ credential }) => kept.has(credential))
      return { secrets, events: inParts(events) }
    },
  }
  return restoreSite(database, [part], options)
}

function payloadOf(data: string | null): Record<string, unknown> | null {
  return data === null ? null : (JSON.parse(data) as Record<string, unknown>)
}

const PART_EVENTS = 1_000

async function* inParts(events: readonly ProvableEvent[]): AsyncIterable<RawEvent[]> {
  for (let from = 0; from < events.length; from += PART_EVENTS) {
    yield events.slice(from, from + PART_EVENTS).map(rawOf)
  }
}

/** An event as `restoreSite` takes it. */
export function rawOf(event: ProvableEvent): RawEvent {
  const { previous: _, salt, bodyHash, chain, ...rest } = event
  return {
    ...rest,
    salt: salt === null ? null : Buffer.from(salt, 'hex'),
    bodyHash: Buffer.from(bodyHash, 'hex'),
    chain: Buffer.from(chain, 'hex'),
  }
}
