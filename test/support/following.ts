import { setTimeout as sleep } from 'node:timers/promises'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { type Document, documentOf as readDocument } from '../../src/content/document.ts'
import type { Entity } from '../../src/content/state.ts'
import { type Db, poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'
import type { EntityProjection, OrderedProjection, Projection } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { type Following, startFollowing } from '../../src/projector/follow.ts'
import { installProjections } from '../../src/projector/install.ts'
import { listStandings, type ProjectionStanding } from '../../src/projector/standing.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from './database.ts'

/** A site of its own with projections beside its own, and processes that follow. */
export interface FollowedSite extends TestSite {
  /** May do anything. */
  readonly owner: Db
  /** The app role's connections of those who follow. */
  readonly db: Db
  readonly said: string[]
  /** One more process that follows. */
  follow(projections: readonly Projection[], name?: string): Following
  standing(name: string): Promise<ProjectionStanding>
}

export async function followedSite(extra: readonly Projection[]): Promise<FollowedSite> {
  const open = await testSite()
  const options = { url: open.url, site: TEST_SITE }
  const ownerPool = openPool({ ...options, restricted: false, connectionsMax: 2 })
  const pool = openPool({ ...options, restricted: true, connectionsMax: 12 })
  const [owner, db] = [poolDb(ownerPool), poolDb(pool)]
  await installProjections(owner, [...(await discoverProjections()), ...extra], options)
  const said: string[] = []
  const running: Following[] = []
  return {
    ...open,
    ...{ owner, db, said },
    follow: (projections, name = 'test') => {
      const following = startFollowing({
        ...{ db, projections, wakeups: open.wakeups, owner: name },
        say: line => said.push(line),
      })
      running.push(following)
      return following
    },
    standing: async name => {
      const found = (await listStandings(db)).find(standing => standing.name === name)
      if (found === undefined) throw new Error(`no projection ${name}`)
      return found
    },
    close: async () => {
      await Promise.all(running.map(following => following.stop()))
      await pool.end()
      await ownerPool.end()
      await open.close()
    },
  }
}

const UNTIL_MS = 15_000

/** Waits until something holds. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + UNTIL_MS
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not in ${UNTIL_MS} ms: ${what}`)
    await sleep(20)
  }
}

/** Makes pages `wh.NAME1` … in one append each hundred. */
export async function makePages(site: TestSite['site'], count: number, name = 'p'): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    await change(site, AS_ROOT, async it => {
      for (let n = from; n < Math.min(count, from + 100); n++) {
        await createPage(it, { path: `wh.${name}${n}`, document: documentOf(`Page ${n}`) })
      }
    })
  }
}

export function documentOf(title: string, text = 'A text.'): Document {
  return {
    proto: 'base',
    hidden: false,
    summary: { title },
    data: { posting: { format: 'markdown', source: text } },
    tags: {},
  }
}

/** Counts events by type, one by one and in order. */
export function countingProjection(given: Partial<OrderedProjection> = {}): OrderedProjection {
  return {
    name: 'counting',
    version: 1,
    mode: 'async',
    tables: ['counting'],
    sql: 'create table {counting} (type text not null primary key, count int not null, last bigint not null)',
    apply: async (events, db) => {
      await db.rows(
        `insert into {counting} select e.type, count(*), max(e.position) from unnest($1::text[], $2::bigint[]) e(type, position) group by 1
         on conflict (type) do update set count = {counting}.count + excluded.count, last = excluded.last`,
        [events.map(event => event.type), events.map(event => event.position)],
      )
    },
    ...given,
  }
}

function documentOfState({ live }: Entity): { title: unknown } {
  return { title: live === null ? null : readDocument(live.document).summary['title'] }
}

/** The title of each live page. */
export function titleProjection(given: Partial<EntityProjection> = {}): EntityProjection {
  return {
    name: 'titles',
    version: 1,
    mode: 'async',
    tables: { titles: { column: 'entity_id' } },
    sql: 'create table {titles} (entity_id uuid not null primary key, title text not null, position bigint not null)',
    step: ({ event, after }) => {
      if (after.kind !== 'entity' || after.since !== after.revision) return []
      const key = { entity_id: after.id }
      if (after.state !== 'live') return [{ op: 'drop', table: 'titles', row: key }]
      const { title } = documentOfState(after)
      return [
        {
          op: 'put',
          table: 'titles',
          row: { ...key, title: String(title), position: event.position },
        },
      ]
    },
    ...given,
  }
}
