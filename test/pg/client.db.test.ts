import { setTimeout } from 'node:timers/promises'
import { openClient } from '../../src/pg/client.ts'
import { assert, suite } from '../harness.ts'
import { TEST_PG } from '../support/database.ts'
import { refused } from '../support/refused.ts'
import { LossyProxy, targetOf, urlThrough } from '../torture/proxy.ts'

/** More than the seconds after which a connection asks. */
const LONG_S = 11
const DEADLINE_MS = 60_000

suite('a connection without a limit of time', test => {
  test(
    'lets a statement be silent for as long as it works',
    async () => {
      const client = await openClient({ connectionString: TEST_PG })
      const { rows } = await client.query('select pg_sleep($1::int), 7 as slept', [LONG_S])
      await client.end()

      assert.is(rows[0]?.slept, 7)
    },
    DEADLINE_MS,
  )

  test(
    'is not given up because the server takes no other one',
    async () => {
      const url = new URL(TEST_PG)
      const admin = await openClient({ connectionString: TEST_PG })
      await admin.query(`create role lonely login password 'lonely' connection limit 1`)
      try {
        url.searchParams.set('user', 'lonely')
        url.searchParams.set('password', 'lonely')
        const client = await openClient({ connectionString: url.href })
        const { rows } = await client.query('select pg_sleep($1::int), 7 as slept', [LONG_S])
        await client.end()

        assert.is(rows[0]?.slept, 7)
      } finally {
        await admin.query('drop role lonely')
        await admin.end()
      }
    },
    DEADLINE_MS,
  )

  test(
    'is not given up while nobody asks anything of it',
    async () => {
      const client = await openClient({ connectionString: TEST_PG })
      await setTimeout(LONG_S * 1_000)
      const { rows } = await client.query('select 7 as there')
      await client.end()

      assert.is(rows[0]?.there, 7)
    },
    DEADLINE_MS,
  )

  test(
    'is given up when the server knows nothing of the statement',
    async () => {
      const proxy = await LossyProxy.listen(targetOf(TEST_PG))
      const client = await openClient({ connectionString: urlThrough(proxy.port, TEST_PG) })
      proxy.set('silent')
      const lost = refused(client.query('select 1'))
      await setTimeout(1_000)
      proxy.set('pass')

      assert.is((await lost).code, 'UNAVAILABLE')
      await proxy.close()
    },
    DEADLINE_MS,
  )
})
