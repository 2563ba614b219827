import type { UndoSelector } from '../commands/undo.ts'
import { parsePath } from '../content/path.ts'
import type { Db } from '../pg/db.ts'
import { FOREVER } from '../projector/define.ts'
import { resolvePosition } from './at.ts'
import { actorOf } from './revisions.ts'

/** What shall be undone, as people say it. */
export interface UndoAsked {
  /** A login name, an entity id, or root, nobody, system. */
  readonly user?: string
  readonly token?: string
  /** The id of an import, or where it took from. */
  readonly import?: string
  readonly undo?: string
  /** After this moment, and by that one; as `at`. */
  readonly from?: string
  readonly to?: string
  readonly under?: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @param keeps the credential that it is asked with, if any @throws AT_INVALID, PATH_INVALID */
export async function undoSelectorOf(
  db: Db,
  asked: UndoAsked,
  keeps: string | null,
): Promise<UndoSelector> {
  const positionOf = async (parameter: 'from' | 'to', otherwise: number) => {
    const text = asked[parameter]
    return text === undefined ? otherwise : (await resolvePosition(db, text, parameter)).position
  }
  const isId = asked.import !== undefined && UUID.test(asked.import)
  return {
    actor: asked.user === undefined ? null : await actorOf(db, asked.user),
    token: asked.token ?? null,
    importId: isId ? (asked.import ?? null) : null,
    importedFrom: isId ? null : (asked.import ?? null),
    undo: asked.undo ?? null,
    after: await positionOf('from', 0),
    upTo: await positionOf('to', FOREVER - 1),
    under: asked.under === undefined ? null : parsePath(asked.under),
    keeps,
  }
}
