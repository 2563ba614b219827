import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import { resolvePosition } from '../queries/at.ts'

/**
 * The position that a backup shall be of. A time that was mistyped must not pass for a backup, so there has to be something.
 *
 * @param when what `--at` says; null when it was not given
 * @returns undefined for the end of the log
 * @throws AT_INVALID
 */
export async function positionAt(db: Db, when: string | null): Promise<number | undefined> {
  if (when === null) return undefined
  const { position } = await resolvePosition(db, when)
  if (position > 0) return position
  throw new Rm3Error('AT_INVALID', `there was nothing yet as of ${when}, so there is no backup`)
}
