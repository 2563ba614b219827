import { randomUUID } from 'node:crypto'
import { readHead } from '../../src/log/read.ts'
import { type Db, poolDb } from '../../src/pg/db.ts'
import { migrate } from '../../src/pg/migrate.ts'
import { openPool } from '../../src/pg/pool.ts'
import { assert, suite } from '../harness.ts'
import {
  append,
  entry,
  type LogDatabase,
  logDatabase,
  refusal,
  VERSIONS,
} from '../log/log-database.ts'

let log: LogDatabase
const site = `race_${randomUUID().slice(0, 8)}`

suite('migrate', test => {
  test.before(async () => {
    log = await logDatabase()
  })
  test.after(async () => {
    await log.owner.script(
      `drop schema ${site} cascade; drop owned by ${site}_app; drop role ${site}_app`,
    )
    await log.close()
  })

  test('lets ten processes that start at once migrate one after another', async () => {
    const applied = await Promise.all(Array.from({ length: 10 }, () => migrateSite()))

    const some = applied.filter(names => names.length > 0)
    assert.is(some.length, 1)
    assert.is(some[0]?.[0], '0001-log')
    await withSite(async db => assert.is((await readHead(db)).position, 0))
  })

  test('applies nothing twice and keeps what the log holds', async () => {
    assert.equal(await migrateSite(), [])
  })

  test('refuses a migration that was edited, or that it does not know', async () => {
    await log.owner.script(
      `update ${site}.migrations set checksum = 'x' || checksum where name = '0001-log'`,
    )
    assert.is(await refusal(migrateSite()), 'DATABASE_NEWER')

    await log.owner.script(`update ${site}.migrations set checksum = substr(checksum, 2) where name = '0001-log';
      insert into ${site}.migrations values ('9999-later', '')`)
    assert.is(await refusal(migrateSite()), 'DATABASE_NEWER')

    await log.owner.script(`delete from ${site}.migrations where name = '9999-later'`)
    assert.equal(await migrateSite(), [])
  })

  test('refuses a database that may lose what it has confirmed', async () => {
    const code = await refusal(migrate({ url: log.url, site }))

    assert.is(code, 'DATABASE_UNSAFE')
  })

  test('refuses a site that is no plain name', async () => {
    for (const bad of ['', 'Rm3', 'pg_x', 'a-b', 'a"b', 'a;drop', 'a'.repeat(41)]) {
      assert.is(
        await refusal(migrate({ url: log.url, site: bad, allowUnsafe: true })),
        'CONFIG_INVALID',
      )
    }
  })

  test('says that nothing can be reached when there is no server', async () => {
    const code = await refusal(migrate({ url: 'postgresql://nobody@127.0.0.1:1/x', site }))

    assert.is(code, 'UNAVAILABLE')
  })

  test('rejects, and does not end the process, when the server cuts it off', async () => {
    const work = migrate({
      url: log.url,
      site,
      allowUnsafe: true,
      afterwards: async db => {
        await db.rows('select pg_terminate_backend(pg_backend_pid())')
      },
    })

    assert.is(await refusal(work), 'UNAVAILABLE')
    assert.equal(await migrateSite(), [])
  })

  test('keeps append to its schema at every moment of a migration', async () => {
    await migrate({
      url: log.url,
      site,
      allowUnsafe: true,
      afterwards: async db => {
        const rows = await db.rows<{ settings: string[] | null }>(
          `select proconfig as settings from pg_proc where prosecdef and pronamespace = '${site}'::regnamespace`,
        )
        const closed = { settings: [`search_path=${site}, pg_temp`] }
        assert.equal(rows, [closed, closed]) // append and erase
      },
    })
  })
})

/** An event as SQL. */
const EVENT = `row(0, gen_random_uuid(), gen_random_uuid(), 1, 'PageRevised', 1, 'root', now(), null, null, '{}', '{}', '', sha256(''))`

suite('the role of the app', test => {
  test.before(async () => {
    log = await logDatabase()
    await append(log.appender, [entry(), entry()])
  })
  test.after(() => log.close())

  const refused: Record<string, string> = {
    'insert into log': `insert into log select * from log`,
    'update the log': `update log set note = 'x'`,
    'delete from the log': `delete from log`,
    'truncate the log': `truncate log`,
    'alter the log': `alter table log add column x int`,
    'drop the log': `drop table log`,
    'disable triggers': `alter table log disable trigger all`,
    'switch triggers off by replication': `set session_replication_role = replica`,
    'drop the trigger': `drop trigger log_is_append_only on log`,
    'change the head': `update log_head set position = 0`,
    'lock the head': `select from log_head for update`,
    'replace append': `create or replace function append(new_event[], boolean, inline_rows) returns int language sql as 'select 1'`,
    'make objects in the schema': `create table mine (x int)`,
    'make functions in the schema': `create function mine() returns int language sql as 'select 1'`,
    'make a schema': `create schema mine`,
    'write a projection': `insert into tags select * from tags`,
    erase: `select erase(gen_random_uuid(), gen_random_uuid(), 1, 1::smallint, 'root', now(), null, '{}', '{}', '', sha256(''))`,
    'change what stands in for erased events': `delete from stand_ins`,
    'write through write_inline': `select write_inline(json_populate_record(null::inline_rows,
      '{"versions": "${VERSIONS}", "drop_pages": []}'), 0)`,
    'change the types of rows': `alter type inline_rows add attribute x int`,
    'forget migrations': `delete from migrations`,
    'read passwords of the server': `select * from pg_authid`,
    'change another role': `alter role postgres nologin`,
    'read files': `select pg_read_file('/etc/passwd')`,
    'run programs': `copy log to program 'cat'`,
  }
  for (const [title, text] of Object.entries(refused)) {
    test(`may not ${title}`, async () => {
      assert.is(await refusal(log.db.script(text)), '42501')
    })
  }

  test('may read the log and what is derived', async () => {
    assert.is((await log.db.rows('select * from log')).length, 2)
    await log.db.rows('select from pages')
  })

  test('writes no rows of other projections than the database has', async () => {
    const refused = async (rows: string) =>
      refusal(log.db.rows(`select * from append(array[${EVENT}]::new_event[], false, ${rows})`))

    assert.is(
      await refused(`json_populate_record(null::inline_rows, '{"versions":"tags 0"}')`),
      'DATABASE_NEWER',
    )
    assert.is(
      await refused(`json_populate_record(null::inline_rows, '{"drop_tags":[]}')`),
      'DATABASE_NEWER',
    )
    assert.is(await refusal(log.db.rows(`select * from append('{}', false, null)`)), '22023')
    assert.is((await readHead(log.db)).position, 2)
  })

  test('does not divert append by tables and paths of its own', async () => {
    await log.db.transaction(async db => {
      await db.script(`create temp table log (like rm3.log); create temp table log_head (like rm3.log_head);
        set local search_path = pg_temp, rm3`)
      const rows = await db.rows<{ position: number }>(
        `select "position" from rm3.append(array[${EVENT}]::rm3.new_event[], false, null)`,
      )
      assert.equal(rows, [{ position: 3 }])
      assert.is((await db.rows('select from pg_temp.log')).length, 0)
    })
  })

  test('is the only one that may call append', async () => {
    const reader = `reader_${randomUUID().slice(0, 8)}`
    await log.owner.script(`create role ${reader}; grant usage on schema rm3 to ${reader}`)
    const code = await refusal(
      log.owner.transaction(async db => {
        await db.script(`set local role ${reader}`)
        await db.rows(`select * from append('{}', false, null)`)
      }),
    )
    await log.owner.script(`drop owned by ${reader}; drop role ${reader}`)

    assert.is(code, '42501')
  })
})

function migrateSite(): Promise<string[]> {
  return migrate({ url: log.url, site, allowUnsafe: true })
}

async function withSite(work: (db: Db) => Promise<void>): Promise<void> {
  const pool = openPool({ url: log.url, site, restricted: true, connectionsMax: 1 })
  await work(poolDb(pool))
  await pool.end()
}
