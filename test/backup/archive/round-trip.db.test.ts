import fc from 'fast-check'
import { storeSecret } from '../../../src/access/credentials.ts'
import { erase } from '../../../src/commands/erase.ts'
import { readHead } from '../../../src/log/read.ts'
import { openBulk } from '../../../src/pg/bulk.ts'
import type { Projection } from '../../../src/projector/define.ts'
import { discoverProjections } from '../../../src/projector/discover.ts'
import { append } from '../../contract/projection.ts'
import { assert, suite } from '../../harness.ts'
import { contentOf } from '../../projector/damage-runs.ts'
import { type AnyLog, anyLog } from '../../support/any-log.ts'
import { archiveOf, framesOf, loadInto, tempStores } from '../../support/archives.ts'
import { TEST_SITE, testDatabase, testSite } from '../../support/database.ts'
import { testEraser } from '../../support/erasing.ts'

/** More for a longer run: RM3_TEST_ROUND_TRIPS=1000. */
const RUNS = Number(process.env['RM3_TEST_ROUND_TRIPS'] ?? 4)
const DEADLINE_MS = 60_000 + RUNS * 15_000

suite('an archive of any history', test => {
  test(
    'brings the same log, secrets and rows, and the archive of those is the same',
    async () => {
      const projections = await discoverProjections()
      await fc.assert(
        fc.asyncProperty(anyLog(60), log => roundTrip(log, projections)),
        { numRuns: RUNS, endOnFailure: true },
      )
    },
    DEADLINE_MS,
  )

  test('that goes on with another one erases what that still has', async () => {
    const [log] = fc.sample(anyLog(60), { numRuns: 1, seed: 5 })
    const from = await testSite()
    const to = await testDatabase()
    const stores = await tempStores()
    const { eraser, remove } = await testEraser(from)
    try {
      await append(from.site, log?.events ?? [])
      const { position } = await readHead(from.site.db)
      const whole = await archiveOf(from.url, stores, { allowIncomplete: true })
      const created = log?.events.find(({ type }) => type === 'PageCreated')
      await erase(eraser, {
        ...{ entityId: created?.stream ?? '', wanted: 'whole', actor: 'root', door: 'cli' },
        ...{ reason: null, keepsShown: false },
      })
      const rest = await archiveOf(from.url, stores, { allowIncomplete: true, since: position })

      const { restored } = await loadInto(to.url, [whole.bytes, rest.bytes], { stores })

      assert.is(restored.head.chain, (await readHead(from.site.db)).chain)
      const { db, close } = await openBulk({ url: to.url, site: TEST_SITE })
      const count = 'select count(data) as said, count(*) as all from log where stream = $1::uuid'
      const rows = await db.rows<{ said: number; all: number }>(count, [created?.stream])
      await close()
      assert.is(rows[0]?.said, 1)
      assert.ok((rows[0]?.all ?? 0) > 1)
    } finally {
      remove()
      await from.close()
      await to.drop()
      await stores.remove()
    }
  }, 60_000)
})

async function roundTrip(log: AnyLog, projections: readonly Projection[]): Promise<void> {
  const from = await testSite()
  const to = await testDatabase()
  const stores = await tempStores()
  try {
    await append(from.site, log.events)
    for (const { type, data, stream } of log.events) {
      if (type !== 'CredentialSet') continue
      const { credential } = data
      await storeSecret(from.site.db, { credential, userId: stream, secret: `of ${credential}` })
    }
    const half = Math.floor(log.events.length / 2)
    const whole = await archiveOf(from.url, stores, { allowIncomplete: true })
    const again = await archiveOf(from.url, stores, { allowIncomplete: true })
    const rest = await archiveOf(from.url, stores, { allowIncomplete: true, since: half })

    const { restored } = await loadInto(to.url, [whole.bytes], { stores })

    const copy = await archiveOf(to.url, stores, { allowIncomplete: true })
    const copyOfRest = await archiveOf(to.url, stores, { allowIncomplete: true, since: half })
    assert.ok(withoutRun(again.bytes).equals(withoutRun(whole.bytes)))
    assert.ok(withoutRun(copy.bytes).equals(withoutRun(whole.bytes)))
    assert.ok(withoutRun(copyOfRest.bytes).equals(withoutRun(rest.bytes)))
    assert.is(restored.head.chain, (await readHead(from.site.db)).chain)
    assert.equal(await rowsOf(to.url, projections), await rowsOf(from.url, projections))
  } finally {
    await from.close()
    await to.drop()
    await stores.remove()
  }
}

/** All but the last frame, which tells of the run. */
function withoutRun(archive: Buffer): Buffer {
  return Buffer.concat(framesOf(archive).slice(0, -1))
}

async function rowsOf(url: string, projections: readonly Projection[]) {
  const { db, close } = await openBulk({ url, site: TEST_SITE })
  try {
    return await contentOf(
      db,
      projections.filter(({ mode }) => mode === 'inline'),
    )
  } finally {
    await close()
  }
}
