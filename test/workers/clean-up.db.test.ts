import cleanUp from '../../workers/clean-up.ts'
import { assert, rejection, suite } from '../harness.ts'
import { type TestSite, testSite } from '../support/database.ts'
import { runContext } from '../support/run-context.ts'

suite('clean-up', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())
  const count = async () => {
    const [row] = await open.site.db.rows<{ keys: number; sessions: number; limits: number }>(
      `select (select count(*) from idempotency_keys)::int as keys, (select count(*) from sessions)::int as sessions,
        (select count(*) from rate_limits)::int as limits`,
    )
    return [row?.keys, row?.sessions, row?.limits]
  }

  test('forgets what has expired, in batches, and nothing else', async () => {
    await open.site.db.script(`
      insert into idempotency_keys (actor, key, request, created)
        select 'a', n::text, '', now() - case when n <= 2500 then interval '25 hours' else interval '23 hours' end
        from generate_series(1, 2503) n;
      insert into sessions (session_hash, entity_id, credential, seen, expires) values
        ('a', gen_random_uuid(), gen_random_uuid(), now(), now() - interval '1 second'),
        ('b', gen_random_uuid(), gen_random_uuid(), now() - interval '8 days', now() + interval '1 day'),
        ('c', gen_random_uuid(), gen_random_uuid(), now() - interval '6 days', now() + interval '1 day');
      insert into rate_limits values ('a', 1, now() - interval '1 second'), ('b', 1, now() + interval '1 minute');
    `)
    const report = await cleanUp.run(runContext(open))

    assert.equal(report, { idempotencyKeys: 2500, sessions: 1, idleSessions: 1, rateLimits: 1 })
    assert.equal(await count(), [3, 1, 1])
  })

  test('ends between two batches when it is told to', async () => {
    const thrown = await rejection(cleanUp.run(runContext(open, { signal: AbortSignal.abort() })))

    assert.is((thrown as Error).name, 'AbortError')
  })
})
