import { uuidv7 } from 'uuidv7'
import { GRANTS_STREAM } from '../content/events.ts'
import { EVENT_VERSIONS } from '../content/upcast.ts'
import { CHAIN_START, chainLink } from '../log/chain.ts'
import { bodyHash, newSalt } from '../log/event.ts'
import type { LogPlace, RawEvent } from '../log/raw.ts'
import type { LogHead } from '../log/read.ts'
import type { LogPart } from '../log/restore.ts'
import { type Access, REVOKED, revocations } from './access.ts'

/**
 * The continuation of a log by which all grants, roles and credentials in force are taken back, for who loads the backup of somebody else: what
 * they were stays in the history.
 *
 * @param head where the log ends
 * @param now RFC 3339; the log takes nothing before its last event
 * @returns null when there is nothing to take back
 */
export function accessTakenBack(access: Access, head: LogHead, now: string): LogPart | null {
  const revisions = new Map<string, number>([
    [GRANTS_STREAM, access.grantsRevision],
    ...access.users.map(({ id, revision }) => [id, revision] as const),
  ])
  const recordedAt = now > head.recordedAt ? now : head.recordedAt
  let chain: Buffer = head.position === 0 ? CHAIN_START : Buffer.from(head.chain, 'hex')
  const events = revocations(access).map(({ type, stream, data }, index): RawEvent => {
    const revision = (revisions.get(stream) ?? 0) + 1
    revisions.set(stream, revision)
    const salt = newSalt()
    const text = {
      note: REVOKED.note,
      meta: JSON.stringify(REVOKED.meta),
      data: JSON.stringify(data),
    }
    const columns = {
      ...{ position: head.position + 1 + index, eventId: uuidv7(), stream, revision, type },
      ...{ version: EVENT_VERSIONS[type], actor: REVOKED.actor, at: now, recordedAt },
    }
    const body = bodyHash(salt, text.note, text.meta, text.data)
    chain = chainLink(chain, columns, body)
    return { ...columns, ...text, salt, bodyHash: body, chain }
  })
  const last = events.at(-1)
  if (last === undefined) return null
  const end: LogPlace = { position: last.position, chain: last.chain.toString('hex') }
  return { parent: head, head: end, events: once(events) }
}

async function* once(events: readonly RawEvent[]): AsyncIterable<readonly RawEvent[]> {
  yield events
}
