import * as accounts from '../../projections/accounts.ts'
import * as activity from '../../projections/activity.ts'
import * as blobs from '../../projections/blobs.ts'
import * as feed from '../../projections/feed.ts'
import * as grants from '../../projections/grants.ts'
import * as links from '../../projections/links.ts'
import * as pageHistory from '../../projections/page-history.ts'
import * as pages from '../../projections/pages.ts'
import * as schedules from '../../projections/schedules.ts'
import * as search from '../../projections/search.ts'
import * as settings from '../../projections/settings.ts'
import * as wordings from '../../projections/wordings.ts'
import { findSecretOfUser, findToken } from '../../src/access/credentials.ts'
import { newSession } from '../../src/access/secrets.ts'

import { findSession, forgetSessions } from '../../src/access/sessions.ts'
import { ROOT_VIEWER, viewerWith } from '../../src/access/viewer.ts'
import type { Site } from '../../src/commands/change.ts'

import { readState } from '../../src/commands/states.ts'
import { listImports } from '../../src/log/imports.ts'
import {
  findEvent,
  findPosition,
  readLog,
  readStream,
  readStreamBackwards,
  readTypes,
} from '../../src/log/read.ts'
import { selectEvents } from '../../src/log/select.ts'
import { type Db, one, poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'
import { getUser, listUsers, readMembers } from '../../src/queries/administration.ts'
import { getBlobBySha256 } from '../../src/queries/blobs.ts'
import { listPages } from '../../src/queries/list-pages.ts'
import { CHILDREN, DEPTH_ALL } from '../../src/queries/listing.ts'
import { findLastMemento, listMementos } from '../../src/queries/mementos.ts'
import { findNamedPages } from '../../src/queries/named-pages.ts'
import { readNewPages } from '../../src/queries/new-pages.ts'
import { readPagePast } from '../../src/queries/read-past.ts'
import { readPagesThen } from '../../src/queries/read-then.ts'
import { EVERYTHING, findEntries } from '../../src/queries/revision-entry.ts'
import { findRevisionEntry } from '../../src/queries/revisions.ts'
import { findSiteSteps } from '../../src/queries/site-steps.ts'
import { findSubject, findSubjectAt } from '../../src/queries/subject.ts'
import cleanUp from '../../workers/clean-up.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { explaining, type Plan } from '../support/explain.ts'
import { runContext } from '../support/run-context.ts'

const ID = '00000000-0000-4000-8000-0000000000ff'
const PATH = 'wh.p77.c777'
const NO_ONE = { token: null, importId: null, importedFrom: null, undo: null }
const OF_ONE_ACTOR = { ...NO_ONE, actor: ID, after: 15_000, upTo: 15_100 }
const OF_ONE_IMPORT = { ...NO_ONE, actor: null, importId: ID, after: 0, upTo: 30_000 }
/** Tables that have one row. */
const SMALL = new Set(['log_head'])

/** 100,000 pages and tags, and 20,000 to 40,000 of what else a site has; page_history has five states of each page. */
const FILL = `
  set synchronous_commit = off;
  create temp table n as select n, md5(n::text)::uuid as id, 'wh.p' || n % 100 || '.c' || n as path, 'wh.p' || n % 100 as parent
    from generate_series(1, 100000) n;
  create temp view fewer as select * from n where n <= 20000;
  insert into pages select id, path, parent, n, 1, id, id, 1, 'base', false, 't', now(), now(), now(), 'root', '{}', '{}', '{}' from n order by path;
  insert into unpublished select id, path, 1, 'base', 't', 'root', now(), n % 10 = 0 from fewer;
  insert into page_history select md5((n % 8000)::text)::uuid, n, n, case when n > 32000 then 9007199254740991 else n + 8000 end,
    case when n % 20 = 0 then 'deleted' else 'live' end, 'wh.p' || n % 100 || '.c' || n % 8000, 1, id, 1, 'base',
    false, 't', now(), now(), now(), 'root', null from n where n <= 40000 order by n;
  insert into tags select id, 't', 'about', 'tag' || n % 5000, 'tag', 1, n, 9007199254740991 from n;
  insert into accounts select id, 'wh.users.u' || n, 'u', 'u' || n || '@example.org', false from fewer;
  insert into role_members select id, 'role' || n % 1000, 1, n, case when n % 5 = 0 then 9007199254740991 else n + 1 end from fewer;
  insert into credentials select id, id, 'token', null, 'write', null, now(), n, 9007199254740991 from fewer;
  insert into credential_secrets select id, id, 'x' from fewer;
  insert into sessions select sha256(id::text::bytea), id, now(), now(), now() + interval '1 day', id from fewer;
  insert into blobs select id, 'a.png', 1, md5(n::text) || md5(n::text), 1, 'image/png', 'public', n, 9007199254740991 from fewer;
  insert into schedules select id, id, 1, id, now() + n * interval '1 hour', 'root', n, case when n % 5 = 0 then 9007199254740991 else n + 1 end from fewer;
  insert into grants select 'role' || n, 'view', '*', 1, '', n, case when n % 1000 = 0 then 9007199254740991 else n + 1 end from fewer;
  insert into settings select 'k' || n, 1, '1', n, case when n % 1000 = 0 then 9007199254740991 else n + 1 end from fewer;
  insert into idempotency_keys select 'a', n::text, '' from fewer;
  insert into rate_limits select n::text, 1, now() + interval '1 day' from fewer;
  insert into keyframes select id, 32, '' from fewer;
  insert into former_paths select id, 2, path from fewer;
  insert into published_drafts select md5((n % 1000)::text)::uuid, n / 1000 + 1 from fewer where n % 3 = 0;
  insert into log select n, now(), now(), id, md5((n % 1000)::text)::uuid, n / 1000 + 1, 1,
    case when n % 1000 = 0 then 'RolePermitted' else 'PageRevised' end, 'root', null,
    case when n < 2000 then json_build_object('importId', n / 100) else '{}' end, '{}', '', sha256(''), sha256('') from fewer;
  insert into stand_ins select md5((n % 1000)::text)::uuid, n / 1000 + 1, 99, 99, 1, null, null, '{}' from fewer where n % 10 = 0;
  analyze;
`

/** As page_history. */
const FILL_HEADINGS = `
  insert into headings select md5((n % 8000)::text)::uuid, n, n, case when n > 32000 then 9007199254740991 else n + 8000 end,
    'wh.p' || n % 100 || '.c' || n % 8000, 'wh.p' || n % 100, 'base', false, 't', now(), '{}', '{}' from n where n <= 40000 order by n;
  analyze headings;
`

/** 100,000 rows of each projection that follows the log. */
const FILL_FOLLOWING = `
  insert into search select id, 'Page ' || n, 'about river' || n % 5000, 'stone' || n % 3000 || ' water' from n;
  insert into links select id, 'a', 'wh.p' || n % 100 || '.c' || n % 90000, null, n, 9007199254740991 from n;
  insert into links select id, 'b', null, 'https://example.org/' || n, n, 9007199254740991 from n;
  insert into activity select id, 1, n, case when n % 500 = 0 then 'PageMoved' else 'PageRevised' end, case when n % 1000 = 0 then 'system' else 'root' end, path, case when n % 500 = 0 then 'wh.was.c' || n end, now(), null from n;
  insert into published_drafts select id, 7 from fewer on conflict do nothing;
  insert into feed select id, n, now() from n;
  analyze search, links, activity, feed, published_drafts;
`

const FILL_WORDINGS = `
  insert into wordings select id, 1, n, array[1, n % 5000 + 10, n % 3000 + 6000] from n;
  analyze wordings;
`

/** Filling takes a second or two, and many times that on a busy machine. */
const FILL_MS = 120_000

const SEARCH: search.Search = {
  ...{ words: '', viewed: '', hiddenToo: null, below: null, limit: 21, after: null },
}
const DEEDS: activity.DeedFilter = {
  ...{
    actor: null,
    path: null,
    under: null,
    type: null,
    viewed: '',
    history: '',
    drafts: '',
    accounts: '',
  },
  ...{ site: true, userId: null },
}
const NOBODY = viewerWith(
  ['view', 'history'].map(permission => ({ role: 'nobody', permission, pattern: 'wh.!users.*' })),
  [],
  null,
)
const THEN = { position: 15_000, recordedAt: '2024-01-01T00:00:00.000Z', settled: true }
const PART = { limit: 50, after: null, when: THEN }
const soon = () => new Date(Date.now() + 20 * 3_600_000).toISOString()
const WORDED = { sentences: [[1, 77]], viewed: '^wh', history: '^wh', under: null }
const DEED_PART = { since: 0, before: 90_000, looked: 5_000, limit: 51 }

const QUERIES: Record<string, (db: Db) => Promise<unknown>> = {
  findPageAndHead: db => pages.findPageAndHead(db, PATH).catch(() => null),
  findIdAtPath: db => pages.findIdAtPath(db, PATH),
  findUnpublishedId: db => pages.findUnpublishedId(db, PATH),
  isProtoUsed: db => pages.isProtoUsed(db, 'photo'),
  findDeletedDraftId: db => pages.findDeletedDraftId(db, PATH),
  listUnder: db => pages.listUnder(db, 'wh.p77', 10_001),
  listDraftsBelow: db => pages.listDraftsBelow(db, 'wh.p77', 10_001),
  findStub: db => pageHistory.findStub(db, PATH),
  'findStub then': db => pageHistory.findStub(db, PATH, 15_000),
  findShown: db => pageHistory.findShown(db, PATH, 15_000),
  'findNamedPages then': db => findNamedPages({ db } as Site, NOBODY, [PATH, 'wh'], THEN),
  'listPages now': db =>
    listPages({ db } as Site, NOBODY, { ...CHILDREN, parent: 'wh.p77' }, { ...PART, when: null }),
  'listPages then': db =>
    listPages({ db } as Site, NOBODY, { ...CHILDREN, parent: 'wh.p77' }, PART),
  'listPages then, by title': db =>
    listPages({ db } as Site, NOBODY, { ...CHILDREN, parent: 'wh.p77', sort: 'title' }, PART),
  'listPages then, by time': db =>
    listPages({ db } as Site, NOBODY, { ...CHILDREN, parent: 'wh.p77', sort: 'modified' }, PART),
  'listPages then, of a tree': db =>
    listPages({ db } as Site, NOBODY, { ...CHILDREN, parent: 'wh.p77', depth: DEPTH_ALL }, PART),
  readPagePast: db => readPagePast({ db } as Site, NOBODY, PATH, THEN).catch(() => null),
  listMementos: db => listMementos({ db } as Site, NOBODY, PATH, { after: 9_000, limit: 100 }),
  findLastMemento: db => findLastMemento({ db } as Site, NOBODY, PATH, 15_000),
  findSiteSteps: db => findSiteSteps({ db } as Site, NOBODY, 15_000).catch(() => null),
  findShownEntity: db => pageHistory.findShownEntity(db, ID, 15_000),
  listDeletedBelow: db => pageHistory.listDeletedBelow(db, { path: 'wh.p77', after: 0 }, 50),
  listAbsent: db => links.listAbsent(db, [PATH, 'wh.nothing']),
  findDeletedId: db => pageHistory.findDeletedId(db, PATH),
  listFormerPaths: db => pageHistory.listFormerPaths(db, [ID]),
  listPublishedDrafts: db => pageHistory.listPublishedDrafts(db, ID),
  listLastPaths: db => pageHistory.listLastPaths(db, [ID]),
  findAccount: db => accounts.findAccount(db, ID),
  findAccountAtPath: db => accounts.findAccountAtPath(db, 'wh.users.u7'),
  findTokenOwner: db => accounts.findTokenOwner(db, ID),
  findAccountByEmail: db => accounts.findAccountByEmail(db, 'u7@example.org'),
  listRoles: db => accounts.listRoles(db, ID),
  listMembers: db => accounts.listMembers(db, 'role7'),
  listCredentials: db => accounts.listCredentials(db, ID),
  listBlobs: db => blobs.listBlobs(db, ID),
  findBlobOfPages: db =>
    blobs.findBlobOfPages(db, 'a'.repeat(64), { viewed: '^wh', edited: '^$', drafts: null }),
  listKnownBlobs: db => blobs.listKnownBlobs(db, ['a'.repeat(64), 'b'.repeat(64)]),
  listBlobsElsewhere: db =>
    blobs.listBlobsElsewhere(db, ['a'.repeat(64)], { entityId: ID, revisions: [1, 2] }),
  listSchedules: db => schedules.listSchedules(db, ID),
  findNextPublication: db => schedules.findNextPublication(db),
  listDuePublications: db => schedules.listDuePublications(db, new Date().toISOString(), 200),
  listPublicationsUntil: db => schedules.listPublicationsUntil(db, soon(), 1_001),
  findPublicationAt: db => schedules.findPublicationAt(db, PATH, '2031-01-01T00:00:00Z'),
  listGrants: db => grants.listGrants(db),
  listSettings: db => settings.listSettings(db),
  findTimeBySetting: db => settings.findTimeBySetting(db, 'backup', 'backup.schedule'),
  listHits: db => search.listHits(db, { ...SEARCH, words: 'river77 stone77' }),
  'listHits of a common word': db =>
    search.listHits(db, { ...SEARCH, words: 'page', viewed: '^wh' }),
  listSought: db => search.listSought(db, 'river77 -stone77', ['river77', 'stone77']),
  listCandidates: db => search.listCandidates(db, 'river77 stone77', 200),
  listMatches: db =>
    search.listMatches(db, 'river', [
      ...[
        {
          entityId: ID,
          path: PATH,
          title: 'River',
          proto: 'base',
          modified: '',
          abstract: '',
          body: '',
        },
      ],
    ]),
  readPagesThen: db =>
    readPagesThen(
      { db } as Site,
      NOBODY,
      { ids: [ID], position: 15_000, limit: 200 },
      { below: 'wh.p77', hidden: true },
    ),
  'readNewPages then': db =>
    readNewPages({ db } as Site, NOBODY, { position: 15_000, recordedAt: '', settled: true }),
  'getBlobBySha256 then': db =>
    getBlobBySha256({ db } as Site, NOBODY, 'a'.repeat(64), 15_000).catch(() => null),
  'listUsers then': db =>
    listUsers({ db } as Site, NOBODY, { limit: 50, after: null, position: 15_000 }),
  'getUser then': db => getUser({ db } as Site, NOBODY, 'u7', 15_000).catch(() => null),
  'readMembers then': db => readMembers({ db } as Site, ROOT_VIEWER, 'role7', 15_000),
  listEverLinking: db => links.listEverLinking(db, PATH, 1_000),
  listLinksFrom: db => links.listLinksFrom(db, ID, 100),
  listLinksTo: db => links.listLinksTo(db, PATH, { viewed: '', hiddenToo: '' }, 100),
  listBrokenLinks: db =>
    links.listBrokenLinks(
      db,
      { edited: '', viewed: '^wh' },
      { after: { target: PATH, entityId: ID }, looked: 5_000, limit: 50 },
    ),
  listDeeds: db => activity.listDeeds(db, DEEDS, DEED_PART),
  'listDeeds by actor': db => activity.listDeeds(db, { ...DEEDS, actor: 'system' }, DEED_PART),
  'listDeeds by type': db => activity.listDeeds(db, { ...DEEDS, type: 'PageMoved' }, DEED_PART),
  'listDeeds of a small part': db => activity.listDeeds(db, { ...DEEDS, under: PATH }, DEED_PART),
  'listDeeds of a large part': db => activity.listDeeds(db, { ...DEEDS, under: 'wh' }, DEED_PART),
  listDeedCounts: db => activity.listDeedCounts(db, DEEDS, [0, 30_000, 90_000], 25),
  'listDeeds by path': db => activity.listDeeds(db, { ...DEEDS, path: PATH }, DEED_PART),
  listWordingPages: db => wordings.listWordingPages(db, WORDED, { before: 90_000, looked: 200 }),
  'listWordingPages of two sentences': db =>
    wordings.listWordingPages(
      db,
      { ...WORDED, sentences: [[1, 77], [6077]] },
      { before: 90_000, looked: 200 },
    ),
  listWordingChanges: db => wordings.listWordingChanges(db, [ID], [[1, 77]], 51),
  listRewordedAfter: db =>
    wordings.listRewordedAfter(db, [77, 6077], { position: 50_000, looked: 5_000, limit: 1_000 }),
  'listRewordedAfter of a word that all have': db =>
    wordings.listRewordedAfter(db, [1], { position: 50_000, looked: 200, limit: 100 }),
  findFirstWithFile: db => blobs.findFirstWithFile(db, { path: PATH, name: 'a.png', from: 15_000 }),
  listPublished: db => feed.listPublished(db, [ID]),
  listNewPages: db => feed.listNewPages(db, '^wh', ['base', 'blog'], 20),
  readState: db => readState(db, ID, 77).catch(() => null),
  findSubject: db => findSubject({ db } as Site, ROOT_VIEWER, PATH),
  findSubjectAt: db => findSubjectAt({ db } as Site, ROOT_VIEWER, PATH, 7).catch(() => null),
  findEntries: db =>
    findEntries(db, { ...EVERYTHING, stream: ID, before: 77, limit: 51 }).catch(() => null),
  findRevisionEntry: db => findRevisionEntry({ db } as Site, ROOT_VIEWER, ID, 7).catch(() => null),
  findToken: db => findToken(db, ID),
  findSecretOfUser: db => findSecretOfUser(db, ID, 'password'),
  findSession: db => findSession(db, newSession().session),
  forgetSessions: db => forgetSessions(db, [ID]),
  readStream: db => readStream(db, ID, { from: 7 }),
  readStreamBackwards: db => readStreamBackwards(db, ID, { limit: 20 }),
  readLog: db => readLog(db, 15_000),
  selectEvents: db => selectEvents(db, OF_ONE_ACTOR, 10),
  'selectEvents of an import': db => selectEvents(db, OF_ONE_IMPORT, 10),
  listImports: db => listImports(db, { before: null, limit: 20 }),
  findEvent: db => findEvent(db, ID),
  findPosition: db => findPosition(db, 7),
  'clean-up': db => cleanUp.run(runContext({ site: { db } as Site })),
}

suite('plans at 100,000 rows', test => {
  let open: TestSite
  const plans = new Map<string, Plan[]>()
  let keptPlans = Number.NaN
  let pool: ReturnType<typeof openPool>
  test.before(async () => {
    open = await testSite()
    pool = openPool({
      ...{ url: open.url, site: TEST_SITE, restricted: false, connectionsMax: 1 },
      statementTimeoutMs: FILL_MS,
    })
    await poolDb(pool).script(FILL)
  }, FILL_MS)
  test.before(() => poolDb(pool).script(FILL_HEADINGS), FILL_MS)
  test.before(() => poolDb(pool).script(FILL_FOLLOWING), FILL_MS)
  test.before(() => poolDb(pool).script(FILL_WORDINGS), FILL_MS)
  test.before(async () => {
    const db = poolDb(pool)
    for (const [name, query] of Object.entries(QUERIES)) {
      const found: Plan[] = []
      await query(explaining(db, found))
      plans.set(name, found)
    }
    await readTypes(db, 15_000, ['RolePermitted'])
    keptPlans = await countKeptPlans(db)
    await pool.end()
  })
  test.after(() => open.close())

  for (const name of Object.keys(QUERIES)) {
    test(`${name} uses an index`, () => {
      const found = plans.get(name) ?? []

      assert.ok(found.length > 0)
      for (const { statement, scanned } of found) {
        assert.equal(
          scanned.filter(table => !SMALL.has(table)),
          [],
          statement,
        )
      }
    })
  }

  test('lists of revisions follow the index and sort nothing, however long the stream', () => {
    const [plan] = plans.get('findEntries') ?? []

    assert.is(plan?.sorted.includes('log'), false, plan?.statement)
  })

  test('the search of history is planned with its words, each time', () => {
    assert.is(keptPlans, 0)
  })

  test('children by path are walked by an index and never sorted', () => {
    const sorted = plans.get('listPages now')?.flatMap(plan => plan.sorted)

    assert.is(sorted?.includes('pages'), false)
  })

  test('all exported queries of projections are among them', () => {
    const modules = [
      ...[accounts, activity, blobs, feed, grants, links, pageHistory, pages, schedules],
      ...[search, settings, wordings],
    ]
    const exported = modules
      .flatMap(module => Object.keys(module))
      .filter(name => /^(find|list)/.test(name))

    assert.equal(
      exported.filter(name => !(name in QUERIES)),
      [],
    )
  })
})

/** Enough for the server to keep a plan that knows no values. */
const TIMES = 12

/** How often the search of history was run by a plan that does not know how many changes have the words. */
async function countKeptPlans(db: Db): Promise<number> {
  const everywhere = { ...WORDED, sentences: [[1]] }
  for (let n = 0; n < TIMES; n++) {
    await wordings.listWordingPages(db, everywhere, { before: 90_000, looked: 200 })
    await wordings.listRewordedAfter(db, [1], { position: 50_000, looked: 200, limit: 100 })
  }
  const { kept } = await one<{ kept: number }>(db, KEPT_PLANS)
  return kept
}

const KEPT_PLANS = `select coalesce(sum(generic_plans), 0)::int as kept from pg_prepared_statements where statement like '%from wordings%' and statement not like '%pg_prepared_statements%'`
