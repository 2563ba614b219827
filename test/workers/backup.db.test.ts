import type { Json } from '../../src/codec/json.ts'
import { listWorkers, registerWorkers } from '../../src/jobs/checkpoints.ts'
import type { Db } from '../../src/pg/db.ts'
import backup from '../../workers/backup.ts'
import drill from '../../workers/restore-drill.ts'
import { assert, suite } from '../harness.ts'
import { putAnySetting, type TestSite, testSite } from '../support/database.ts'

const LAST = `insert into checkpoints (kind, name, version, state, epoch, position, started, report)
  select 'worker', $1::text, 1, 'live', epoch, position, $2::timestamptz, $3::json from log_head`

suite('the workers that back up and rehearse', test => {
  let opened: TestSite
  test.before(async () => {
    opened = await testSite()
  })
  test.after(() => opened.close())

  const due = (worker: typeof backup) =>
    (worker.schedule as { at: (db: Db) => Promise<string | null> }).at(opened.site.db)
  const set = (key: string, value: Json) => putAnySetting(opened.site, key, value)

  test('are due when settings say, the first time at once', async () => {
    assert.is(await due(backup), null)
    await set('backup.schedule', '24h')
    await set('backup.drill', '15 3 * * 0')

    assert.ok(((await due(backup)) ?? '9') < opened.site.now())
    assert.is(await due(drill), null, 'there is nothing to rehearse')
  })

  test('are due again after the last run', async () => {
    const { db } = opened.site
    await db.rows(LAST, ['backup', '2026-01-01T00:00:00Z', '{"kept":1,"verified":true}'])
    await db.rows(LAST, ['restore-drill', '2026-01-01T00:00:00Z', null])

    assert.is(await due(backup), '2026-01-02T00:00:00.000Z')
    assert.is(await due(drill), '2026-01-04T03:15:00.000Z')
  })

  test('are never due by a setting that says no time', async () => {
    for (const value of ['daily', 24, null] as const) {
      await set('backup.schedule', value)
      assert.is(await due(backup), null)
    }
  })

  test('are listed with when they are due', async () => {
    const { db } = opened.site
    await set('backup.schedule', '24h')
    const found = [{ name: 'backup', file: '', plugin: null, worker: backup }]
    await registerWorkers(db, found)
    const listed = (await listWorkers(db, found)).find(({ name }) => name === 'backup')

    assert.equal([listed?.trigger, listed?.due], ['as scheduled', await due(backup)])
  })
})
