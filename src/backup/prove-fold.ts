import type { JsonObject } from '../codec/json.ts'
import type { State } from '../content/state.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { copyStreams } from '../log/copy.ts'
import { readHead } from '../log/read.ts'
import { faultOfErasures } from '../log/verify.ts'
import type { Bulk } from '../pg/bulk.ts'
import { listChunks } from '../projector/chunks.ts'
import type { EntityProjection } from '../projector/define.ts'
import { foldStreams } from '../projector/fold-streams.ts'
import { type Access, AccessTally } from './access.ts'
import { isSoundTip, payloadFault } from './folder/check-payload.ts'

/** Has no rows, and refuses payloads that no rm3 has written, and what they come to. */
const SHAPES: EntityProjection = {
  ...{ name: 'shapes', version: 1, mode: 'async', sql: '', tables: {} },
  step: ({ event, after }) => {
    const fault = payloadFault(event.type, event.data as unknown as JsonObject)
    if (fault !== null) {
      throw unfit(`${fault} of the event at position ${event.position} is not of its type`)
    }
    if (after.kind === 'entity' && !isSoundTip(after)) {
      throw unfit(`what is left of ${after.path} at position ${event.position} is no document`)
    }
    return []
  },
}

/**
 * Folds every stream of a log, so that none is kept of which projections cannot be built: payloads are of their types, patches apply, each
 * event can follow the one before, only what an erasure tells of is empty, and no two pages are live at one path. Holds the paths of live pages.
 *
 * @param onProgress told events folded, and all
 * @returns who may what in the end
 * @throws BACKUP_DAMAGED, BACKUP_NEWER when an event is not known here
 */
export async function proveFold(
  bulk: Bulk,
  signal: AbortSignal | undefined,
  onProgress: (done: number, total: number) => void,
): Promise<Access> {
  const { position } = await readHead(bulk.db)
  const fault = await faultOfErasures(bulk.db, position)
  if (fault !== null) throw unfit(`position ${fault.position}: ${fault.text}`)
  const paths = new Set<string>()
  const access = new AccessTally()
  const sink = {
    add: () => undefined,
    change: async () => {},
    ended: (_: string, state: State) => {
      demandSound(state, paths)
      access.add(state)
    },
  }
  const groups = [{ projections: [SHAPES], keys: new Map(), until: position }]
  let done = 0
  for (const chunk of await listChunks(bulk.db, position)) {
    signal?.throwIfAborted()
    await foldStreams(copyStreams(bulk, { ...chunk, position }), groups, sink, count => {
      done += count
    }).catch(thrown => {
      throw translated(thrown)
    })
    onProgress(done, position)
  }
  return access.end()
}

function demandSound(state: State, paths: Set<string>): void {
  if (state.kind !== 'entity') return
  if (state.state !== 'live') return
  if (paths.has(state.path)) throw unfit(`two pages are live at ${state.path}`)
  paths.add(state.path)
}

function translated(thrown: unknown): unknown {
  if (isRm3Error(thrown, 'LOG_DAMAGED')) return unfit(thrown.message, thrown)
  if (isRm3Error(thrown, 'DATABASE_NEWER')) {
    return new Rm3Error('BACKUP_NEWER', thrown.message, { ...thrown.details, cause: thrown })
  }
  // what folds takes payloads for what their types say
  return thrown instanceof TypeError ? unfit('a payload is not of its type', thrown) : thrown
}

function unfit(text: string, cause?: unknown): Rm3Error {
  const message = `what is to be loaded does not fit together: ${text}`
  return new Rm3Error('BACKUP_DAMAGED', message, { cause })
}
