import fc from 'fast-check'
import {
  findDeletedId,
  findShown,
  findShownEntity,
  findStub,
} from '../../projections/page-history.ts'
import { findIdAtPath, findUnpublishedId } from '../../projections/pages.ts'
import { readState } from '../../src/commands/states.ts'
import { isKeyframe } from '../../src/content/state.ts'
import { FOREVER } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { append, checkProjections, type Tables } from '../contract/projection.ts'
import { assert, suite } from '../harness.ts'
import { type AnyLog, anyLog } from '../support/any-log.ts'
import { testSite } from '../support/database.ts'
import {
  entitiesAt,
  headingRanges,
  heldRanges,
  lastAtPath,
  type Range,
  scheduleRanges,
  shownRanges,
  tagRanges,
} from './log-oracle.ts'

const RUNS = { numRuns: 3, endOnFailure: true }
const PATHS = ['wh', 'wh.a', 'wh.a.b', 'wh.users.ann', 'wh.c', 'wh.users.bob']

suite('projections of any history', test => {
  test('have the same rows one by one, at once and built anew, and those a reading of the log gives', async () => {
    const projections = await discoverProjections()
    await fc.assert(
      fc.asyncProperty(anyLog(120), async log => {
        const tables = await checkProjections(projections, log.events)
        checkHeads(tables, log)
        checkRanges(tables, log)
      }),
      RUNS,
    )
  })

  test('answer for every position as the log folded up to it', async () => {
    await fc.assert(fc.asyncProperty(anyLog(80), checkPast), RUNS)
  })
})

function checkHeads(tables: Tables, log: AnyLog): void {
  const entities = entitiesAt(log, FOREVER)
  const live = entities.filter(({ state }) => state === 'live')
  assert.equal(
    column(tables, 'pages', row => [
      row['entity_id'],
      row['path'],
      row['revision'],
      row['since_id'],
    ]),
    sorted(live.map(({ id, path, live, sinceId }) => [id, path, live?.revision, sinceId])),
  )
  const drafts = entities.filter(({ live }) => live === null)
  assert.equal(
    column(tables, 'unpublished', row => [row['entity_id'], row['path'], row['deleted']]),
    sorted(drafts.map(({ id, path, state }) => [id, path, state === 'deleted'])),
  )
  const users = live.filter(
    ({ path, live }) => /^wh\.users\.\w+$/.test(path) && protoOf(live) === 'user',
  )
  assert.equal(
    column(tables, 'accounts', row => row['entity_id']),
    sorted(users.map(({ id }) => id)),
  )
  assert.equal(
    column(tables, 'keyframes', row => [row['stream'], row['revision']]),
    sorted(
      log.states.flatMap((state, n) =>
        isKeyframe(state) ? [[log.events[n]?.stream, state.revision]] : [],
      ),
    ),
  )
}

function checkRanges(tables: Tables, log: AnyLog): void {
  const rangeOf = (row: Row, key: unknown) => [
    row['entity_id'],
    key,
    row['from_position'],
    row['until_position'],
  ]
  const shown = column(tables, 'page_history', row =>
    rangeOf(row, `${row['since']} ${row['state']} ${row['path']}`),
  )
  assert.equal(shown, sorted(shownRanges(log)))
  const listed = column(tables, 'headings', row =>
    rangeOf(row, [
      row['path'],
      row['proto'],
      row['hidden'],
      row['title'],
      row['created'],
      row['tags'],
    ]),
  )
  assert.equal(listed, sorted(headingRanges(log)))
  assert.equal(
    column(tables, 'tags', row => rangeOf(row, row['object'])),
    sorted(tagRanges(log)),
  )
  assert.equal(
    column(tables, 'schedules', row => rangeOf(row, row['schedule'])),
    sorted(scheduleRanges(log)),
  )
  const roles = heldRanges(log, 'RoleAssigned', 'RoleDeassigned', data => data['role'])
  assert.equal(
    column(tables, 'role_members', row => rangeOf(row, row['role'])),
    named(roles),
  )
  const blobs = heldRanges(log, 'BlobAttached', 'BlobDetached', data => data['name'])
  assert.equal(
    column(tables, 'blobs', row => rangeOf(row, row['name'])),
    named(blobs),
  )
  const settings = heldRanges(log, 'SettingChanged', 'SettingChanged', data => data['key'])
  assert.equal(
    column(tables, 'settings', row => rangeOf(row, row['key']).slice(1)),
    sorted(settings.map(range => [nameOf(range), ...range.slice(2)])),
  )
  const grantOf = (grant: Row) => `${grant['role']}:${grant['pattern']}`
  const grants = heldRanges(log, 'RolePermitted', 'RoleDenied', grantOf)
  assert.equal(
    column(tables, 'grants', row => rangeOf(row, grantOf(row)).slice(1)),
    sorted(grants.map(range => [nameOf(range), ...range.slice(2)])),
  )
  // a credential's row is that of its last setting
  const credentials = heldRanges(
    log,
    'CredentialSet',
    'CredentialRemoved',
    data => data['credential'],
  )
  const last = new Map(credentials.map(range => [nameOf(range), range]))
  assert.equal(
    column(tables, 'credentials', row => rangeOf(row, row['credential'])),
    named([...last.values()]),
  )
}

async function checkPast(log: AnyLog): Promise<void> {
  const { site, close } = await testSite()
  try {
    await append(site, log.events)
    for (let position = 1; position <= log.events.length; position++) {
      await checkPosition(site.db, log, position)
    }
    for (const path of PATHS) {
      const head = entitiesAt(log, FOREVER).filter(entity => entity.path === path)
      const idOf = (state: string) => head.find(entity => entity.state === state)?.id ?? null
      assert.is(await findIdAtPath(site.db, path), idOf('live'))
      assert.is((await findUnpublishedId(site.db, path)) === null, idOf('draft') === null)
      const deleted = head.filter(({ state, live }) => state === 'deleted' && live !== null)
      assert.is((await findDeletedId(site.db, path)) === null, deleted.length === 0)
    }
    for (const [index, event] of log.events.entries()) {
      const state = await readState(site.db, event.stream, event.revision)
      assert.is(JSON.stringify(state), JSON.stringify(log.states[index]))
      assert.ok(event.revision - (await lastKeyframe(site.db, event)) <= 32)
    }
  } finally {
    await close()
  }
}

type Db = Parameters<typeof findShown>[0]

async function lastKeyframe(db: Db, { stream, revision }: { stream: string; revision: number }) {
  const [last] = await db.rows<{ revision: number }>(
    'select coalesce(max(revision), 0) as revision from keyframes where stream = $1::uuid and revision <= $2::int',
    [stream, revision],
  )
  return last?.revision ?? 0
}

async function checkPosition(db: Db, log: AnyLog, position: number): Promise<void> {
  const then = entitiesAt(log, position)
  for (const entity of then) {
    const shown = await findShownEntity(db, entity.id, position)
    const now = entity.since === 0 ? null : [entity.state, entity.path, entity.live?.revision]
    assert.equal(shown && [shown.state, shown.path, shown.revision], now)
  }
  for (const path of PATHS) {
    const live = then.find(entity => entity.state === 'live' && entity.path === path)
    assert.is((await findShown(db, path, position))?.entityId, live?.id)
    const last = then.find(({ id }) => id === lastAtPath(log, path, position))
    const stub = await findStub(db, path, position)
    assert.equal(
      stub && [stub.entityId, stub.state, stub.path],
      last ? [last.id, last.state, last.path] : null,
    )
  }
}

type Row = Record<string, unknown>

function column(tables: Tables, table: string, of: (row: Row) => unknown): string[] {
  return sorted((tables[table] ?? []).map(of))
}

function sorted(rows: readonly unknown[]): string[] {
  return rows.map(row => JSON.stringify(row)).sort()
}

function nameOf([, key]: Range): string {
  return key.slice(0, key.lastIndexOf(' '))
}

function named(ranges: readonly Range[]): string[] {
  return sorted(ranges.map(range => [range[0], nameOf(range), range[2], range[3]]))
}

function protoOf(live: { document: unknown } | null): unknown {
  return (live?.document as { proto?: unknown } | undefined)?.proto
}
