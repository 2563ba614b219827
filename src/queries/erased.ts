import { Rm3Error } from '../errors.ts'
import { type Db, find } from '../pg/db.ts'

interface ErasureRow {
  readonly at: string
  readonly actor: string
  readonly name: string | null
}

const ERASURE = `select x.at, x.actor, (select a.name from accounts a where a.entity_id::text = x.actor) as name
  from events e join log x on x.stream = e.stream and x.revision = e.erased
  where e.stream = $1::uuid and e.revision = $2::int`

/** A revision of an entity, and where it was looked for. */
export interface ErasedRevision {
  readonly entityId: string
  readonly revision: number
  readonly path: string
}

/** What is thrown for a revision that was erased, to those who might have read it: when that was, and who did it. */
export async function erasedError(
  db: Db,
  { entityId, revision, path }: ErasedRevision,
): Promise<Rm3Error> {
  const found = await find<ErasureRow>(db, ERASURE, [entityId, revision])
  const { at, actor, name } = found ?? { at: null, actor: null, name: null }
  const told = at === null ? '' : ` on ${at} by ${name || actor}`
  return new Rm3Error('ERASED', `revision ${revision} of ${path} was erased${told}`, {
    ...{ path, revision },
    ...{ erasedAt: at, erasedBy: actor },
  })
}
