import { findShownEntity } from '../../../projections/page-history.ts'
import { absent } from '../../access/viewer.ts'
import { readState } from '../../commands/states.ts'
import { documentOf } from '../../content/document.ts'
import { pathsAbove } from '../../content/path.ts'
import type { Entity } from '../../content/state.ts'
import { find } from '../../pg/db.ts'
import { FOREVER } from '../../projector/define.ts'
import type { Subject } from '../../queries/subject.ts'
import { textAt } from '../../scheme/json.ts'
import type { Frame, Link, Subject as ShownSubject } from '../../scheme/views.ts'
import { breadcrumbOf, frameOf, namedIn, peopleIn, ROOT, readAround } from './around.ts'
import { type Scene, urlIn } from './scene.ts'

/** What stands above a view about a page. */
export interface Heading {
  readonly frame: Frame
  readonly subject: ShownSubject
  readonly breadcrumb: readonly Link[]
  /** The revision that readers see in the time of the scene. */
  readonly live: number | null
}

/** @param end the first revision after the time of the scene; null: now */
export async function readHeading(
  scene: Scene,
  subject: Subject,
  end: number | null,
): Promise<Heading> {
  const { pages, path, when } = scene
  const { db } = pages.site
  const paths = [ROOT, path, ...pathsAbove(path)]
  const [around, named, people, shown] = await Promise.all([
    readAround(scene),
    namedIn(scene, paths),
    peopleIn(scene),
    findShownEntity(db, subject.id, endOfTime(when)),
  ])
  const page = named.get(path)
  const title = page?.entityId === subject.id ? page.title : await titleOf(scene, subject, end)
  return {
    frame: frameOf(scene, around, { named, people }),
    subject: {
      title: title || 'Untitled',
      path,
      url: urlIn(scene, path),
      deleted: shown?.state === 'deleted',
    },
    breadcrumb: breadcrumbOf(scene, named),
    live: shown?.state === 'live' ? shown.revision : null,
  }
}

/** The position that a time means for what is known of it: ahead nothing is. */
function endOfTime(when: Scene['when']): number {
  return when === null || 'ahead' in when ? FOREVER - 1 : when.position
}

/** Of a page that is deleted or a draft. */
async function titleOf({ pages }: Scene, { id }: Subject, end: number | null): Promise<string> {
  const { db } = pages.site
  const state = await (end === null ? readState(db, id) : readState(db, id, end - 1))
  if (state?.kind !== 'entity') return ''
  const { live, tip }: Entity = state
  return textAt(documentOf(live?.document ?? tip).summary, 'title').trim()
}

const END = `select max(revision) as revision from log where stream = $1::uuid and position <= $2::bigint`

/** The first revision after the time of the scene; null now. @throws PAGE_NOT_FOUND when there was none yet */
export async function endOf({ pages, path, when }: Scene, { id }: Subject): Promise<number | null> {
  if (when === null || 'ahead' in when) return null
  const row = await find<{ revision: number | null }>(pages.site.db, END, [id, when.position])
  if (row === null || row.revision === null) throw absent(path)
  return row.revision + 1
}
