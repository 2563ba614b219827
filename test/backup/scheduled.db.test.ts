import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { parseIdentities } from '../../src/backup/age/keys.ts'
import { archiveParts } from '../../src/backup/archive/load.ts'
import { verifyArchive } from '../../src/backup/archive/verify.ts'
import { chainOf } from '../../src/backup/chains.ts'
import { rehearse } from '../../src/backup/drill.ts'
import { restoreFolder } from '../../src/backup/folder/load.ts'
import { demandWhole } from '../../src/backup/folder/tell.ts'
import { restoreSite } from '../../src/backup/restore.ts'
import {
  type BackupSettings,
  makeScheduledBackup,
  readBackupSettings,
  type ScheduledBackup,
  type ScheduledOptions,
} from '../../src/backup/scheduled.ts'
import { forgetBackups, readShelf, type ShelvedBackup } from '../../src/backup/shelf.ts'
import type { BlobStores } from '../../src/blobs/store.ts'
import { change } from '../../src/commands/change.ts'
import { erase } from '../../src/commands/erase.ts'
import { createPage } from '../../src/commands/pages.ts'
import { setSetting } from '../../src/commands/rights.ts'
import { NO_POLICY } from '../../src/content/keep-policy.ts'
import { makeDemo } from '../../src/demo/make-demo.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { assert, rejection, suite } from '../harness.ts'
import { archiveOf, loadInto, NO_KEYS, piecesOf } from '../support/archives.ts'
import {
  AS_ROOT,
  putAnySetting,
  TEST_SITE,
  type TestSite,
  testDatabase,
  testSite,
} from '../support/database.ts'
import { testEraser } from '../support/erasing.ts'

/** How often several runs are let loose at once: `RM3_TEST_RACES=100`. */
const RACES = Number(process.env['RM3_TEST_RACES'] ?? 4)
const RACE_MS = Date.parse('2026-03-01T00:00:00Z')
const SECRET = await generateIdentity()
const RECIPIENT = await identityToRecipient(SECRET)
const codeOf = (thrown: unknown) => (thrown as { code?: string }).code

suite('scheduled backups', test => {
  let opened: TestSite
  let folder: string
  let shelf: string
  let stores: BlobStores

  const make = (
    at: string,
    settings: Partial<BackupSettings> = {},
    more: Partial<ScheduledOptions> = {},
  ) =>
    makeScheduledBackup(
      { url: opened.url, site: TEST_SITE, stores },
      { kind: 'archive', full: 1, keep: null, ...settings },
      { shelf, recipients: [], identities: [], program: 'rm3 test', now: at, ...more },
    )

  const edit = (day: number) =>
    change(opened.site, AS_ROOT, it => setSetting(it, 'plugin.day', day as never))

  test.before(async () => {
    opened = await testSite()
    folder = mkdtempSync(join(tmpdir(), 'rm3-test-shelf-'))
    shelf = join(folder, 'shelf')
    stores = {
      public: { folder: join(folder, 'public') },
      private: { folder: join(folder, 'private') },
    }
    for (const store of Object.values(stores)) mkdirSync(store.folder)
    await makeDemo(opened.site, stores.public)
  })
  test.after(async () => {
    await opened.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('are a folder or an archive, read again, for nobody else to read', async () => {
    const one = await make('2026-01-01T03:00:00.000Z', { kind: 'folder' })
    const two = await make('2026-01-02T03:00:00.000Z')
    const { backups, others } = await readShelf(shelf)

    assert.equal([one.verified, two.verified], [true, true])
    assert.equal(backups.map(({ name, kind }) => `${name} ${kind}`).sort(), [
      'rm3-2026-01-01T03-00-00Z folder',
      'rm3-2026-01-02T03-00-00Z.rm3 archive',
    ])
    assert.is(one.backup.name, 'rm3-2026-01-01T03-00-00Z')
    assert.is(backups[0]?.position, backups[1]?.position)
    assert.is(backups[0]?.chain, backups[1]?.chain)
    assert.equal(others, [])
    for (const name of readdirSync(shelf)) assert.is(statSync(join(shelf, name)).mode & 0o077, 0)
    rmSync(join(shelf, one.backup.name), { recursive: true })
  })

  test('are encrypted for a recipient, and known by their note', async () => {
    const made = await make(
      '2026-01-03T03:00:00.000Z',
      { kind: 'archive' },
      { recipients: [RECIPIENT] },
    )

    assert.is(made.verified, false)
    assert.is((await readShelf(shelf)).backups[0]?.encrypted, true)
  })

  test('leave only what the policy keeps', async () => {
    const made = await make('2026-01-04T03:00:00.000Z', {
      kind: 'archive',
      keep: { ...NO_POLICY, last: 2 },
    })

    assert.is(made.kept, 2)
    assert.is(made.removed.length, 1)
    assert.equal(readdirSync(shelf).length, 4) // two archives with their notes
  })

  test('touch nothing that is no whole backup', async () => {
    writeFileSync(join(shelf, 'notes.txt'), 'mine')
    writeFileSync(join(shelf, 'strange.rm3'), 'mine')
    mkdirSync(join(shelf, 'mine'))
    mkdirSync(join(shelf, 'other-2026-01-01.partial'))
    symlinkSync('/etc', join(shelf, 'link'))
    const damaged = await make('2026-01-05T03:00:00.000Z', { kind: 'archive' })
    truncateSync(join(shelf, damaged.backup.name), 1000)
    const before = readdirSync(shelf)

    const { removed, others } = await forgetBackups(
      shelf,
      { ...NO_POLICY, last: 1 },
      { now: '2026-02-01T00:00:00.000Z' },
    )

    assert.is(removed.length, 1)
    assert.equal(readdirSync(shelf).length, before.length - 2)
    assert.equal(
      others.map(({ name }) => name).sort(),
      [
        'link',
        'mine',
        'notes.txt',
        'other-2026-01-01.partial',
        damaged.backup.name,
        'strange.rm3',
      ].sort(),
    )
  })

  test('go as a dry run says', async () => {
    const one = await make('2026-01-06T03:00:00.000Z', { kind: 'folder' })
    await make(new Date(Date.now() + 60_000).toISOString())
    const policy = { ...NO_POLICY, last: 1 }
    const now = new Date(Date.now() + 120_000).toISOString()

    const told = await forgetBackups(shelf, policy, { now, dryRun: true })
    assert.ok(existsSync(join(shelf, one.backup.name)))
    const done = await forgetBackups(shelf, policy, { now })

    assert.equal(
      done.removed.map(({ name }) => name),
      told.removed.map(({ name }) => name),
    )
    assert.not.ok(existsSync(join(shelf, one.backup.name)))
    assert.not.ok(existsSync(join(shelf, `${one.backup.name}.forgotten`)))
  })

  test('remove what killed runs have left, once it is old', async () => {
    const [old, young] = [
      'rm3-2026-01-01T00-00-00Z.rm3.partial',
      'rm3-2026-01-08T00-00-00Z.partial',
    ]
    writeFileSync(join(shelf, old), '')
    mkdirSync(join(shelf, young))
    for (const [name, at] of [
      [old, '2026-01-01T00:00:00Z'],
      [young, '2026-01-08T02:00:00Z'],
    ] as const) {
      utimesSync(join(shelf, name), new Date(at), new Date(at))
    }

    await make('2026-01-08T03:00:00.000Z')

    assert.not.ok(existsSync(join(shelf, old)))
    assert.ok(existsSync(join(shelf, young)))
  })

  test('follow the settings of the site, which are told when they are wrong', async () => {
    const { site } = opened
    const set = (key: string, value: never) => putAnySetting(site, key, value)
    await set('backup.keep', { daily: 7, yearly: 'unlimited' } as never)
    const settings = await readBackupSettings(site.db)

    assert.equal(settings, {
      kind: 'archive',
      full: 1,
      keep: { ...NO_POLICY, daily: 7, yearly: Number.POSITIVE_INFINITY },
    })
    for (const [key, value] of [
      ['backup.keep', {}],
      ['backup.keep', { daily: 0 }],
      ['backup.keep', { fortnightly: 1 }],
      ['backup.keep', 7],
      ['backup.kind', 'tape'],
    ] as const) {
      await set(key, value as never)
      assert.is(codeOf(await rejection(readBackupSettings(site.db))), 'CONFIG_INVALID')
      await set(key, null as never)
    }
  })

  test('can be rehearsed: loaded beside the site, compared, and taken away', async () => {
    const { eraser, remove } = await testEraser(opened)
    const [page] = await opened.site.db.rows<{ entityId: string }>(
      `select stream as "entityId" from log where type = 'PageRevised' limit 1`,
    )
    await erase(eraser, {
      ...{ entityId: page?.entityId ?? '', wanted: new Set([1]), actor: 'root', door: 'cli' },
      ...{ reason: 'a test', keepsShown: true },
    })
    remove()
    const made = await make('2026-01-09T03:00:00.000Z', { kind: 'folder' })
    const dir = join(shelf, made.backup.name)
    const projections = await discoverProjections()
    let n = 0
    const drill = await rehearse({ url: opened.url, site: TEST_SITE }, opened.site, {
      scratchFolder: join(folder, 'scratch'),
      allowUnsafe: true,
      now: '2026-01-09T04:00:00.000Z',
      random: () => (n++ % 100) / 100,
      load: async (database, to) =>
        restoreFolder(
          database,
          { dir, proof: await demandWhole(dir), stores: to },
          { projections, allowUnsafe: true },
        ),
    })
    const left = await opened.site.db.rows(
      `select nspname from pg_namespace where nspname like '%drill%' union all select rolname from pg_roles where rolname like '%drill%'`,
    )

    assert.is(drill.position, made.backup.position)
    assert.ok(drill.reads > 20)
    assert.is(drill.projections, projections.length)
    assert.equal(left, [])
    assert.equal(readdirSync(join(folder, 'scratch')), [])
  })

  test('are found by a rehearsal to be of something else than the site', async () => {
    const other = await testSite()
    for (let page = 0; page < 30; page++) {
      const document = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
      await change(other.site, AS_ROOT, it => createPage(it, { path: `wh.x${page}`, document }))
    }
    const { bytes } = await archiveOf(other.url, stores)
    const projections = await discoverProjections()
    const failure = await rejection(
      rehearse({ url: opened.url, site: TEST_SITE }, opened.site, {
        scratchFolder: join(folder, 'scratch'),
        allowUnsafe: true,
        now: '2026-01-09T04:30:00.000Z',
        random: Math.random,
        load: async (database, to) => {
          const source = {
            name: 'other',
            open: async () => ({ bytes: piecesOf(bytes), close: async () => {} }),
          }
          const parts = archiveParts([source], [], { keys: NO_KEYS, stores: to })
          return restoreSite(database, parts, { projections, allowUnsafe: true })
        },
      }),
    )
    await other.close()

    assert.is(codeOf(failure), 'LOG_DAMAGED')
    assert.match((failure as Error).message, /as of position \d+ is not the same/)
  })

  test('leave nothing of a rehearsal that fails', async () => {
    const failure = await rejection(
      rehearse({ url: opened.url, site: TEST_SITE }, opened.site, {
        scratchFolder: join(folder, 'scratch'),
        allowUnsafe: true,
        now: '2026-01-09T05:00:00.000Z',
        random: () => 0,
        load: async () => {
          throw new Error('cannot be read')
        },
      }),
    )

    assert.match((failure as Error).message, /cannot be read/)
    assert.equal(readdirSync(join(folder, 'scratch')), [])
  })
  test('of which one is whole and others continue it load one behind the other', async () => {
    const row = join(folder, 'row')
    const made: ScheduledBackup[] = []
    for (const day of [1, 2, 3, 4, 5]) {
      // on the third day nothing has happened
      if (day !== 3) await edit(day)
      made.push(await make(dayOf(day), { full: 3 }, { shelf: row }))
    }
    const { backups } = await readShelf(row)
    const chain = chainOf(backups, made[2]?.backup as ShelvedBackup) ?? []
    const { url, drop } = await testDatabase()
    const archives = chain.map(({ name }) => readFileSync(join(row, name)))
    const { restored } = await loadInto(url, archives, { stores })
    await drop()

    assert.equal(
      made.map(({ parts }) => parts),
      [1, 2, 3, 1, 2],
    )
    assert.is(made[2]?.backup.since?.position, made[2]?.backup.position)
    assert.is(restored.head.chain, made[2]?.backup.chain)
    assert.equal(
      chain.map(({ name }) => name),
      made.slice(0, 3).map(({ backup }) => backup.name),
    )
  })

  test('keep what a kept one continues, and begin anew when that is gone', async () => {
    const row = join(folder, 'row')
    const policy = { ...NO_POLICY, last: 1 }
    const { removed } = await forgetBackups(row, policy, { now: dayOf(6), dryRun: true })
    const [fourth = ''] = readdirSync(row).filter(name => name.includes('02-04T'))
    rmSync(join(row, fourth))
    const { others } = await readShelf(row)

    const next = await make(dayOf(6), { full: 3 }, { shelf: row })

    assert.equal(
      removed.map(({ at }) => at.slice(0, 10)),
      ['2026-02-03', '2026-02-02', '2026-02-01'],
    )
    assert.equal(others.map(({ why }) => why).sort(), [
      'its archive is not there',
      'what it continues is not there',
    ])
    assert.is(next.parts, 1)
  })

  test('begin anew in another log, and when they are encrypted from now on', async () => {
    const row = join(folder, 'row')
    const other = await testSite()
    const source = { url: other.url, site: TEST_SITE, stores }
    const options = { shelf: row, recipients: [], identities: [], program: 'rm3 test' }

    const encrypted = await make(
      dayOf(7),
      { full: 3 },
      { shelf: row, recipients: [RECIPIENT], identities: parseIdentities(SECRET) },
    )
    const more = await make(dayOf(8), { full: 3 }, { shelf: row, recipients: [RECIPIENT] })
    const elsewhere = await makeScheduledBackup(
      source,
      { kind: 'archive', full: 9, keep: null },
      { ...options, now: dayOf(9) },
    )
    await other.close()

    assert.equal([encrypted.parts, encrypted.verified], [1, true])
    assert.equal([more.parts, more.verified], [2, false])
    assert.is(elsewhere.parts, 1)
  })

  test(
    `of which many are made and forgotten at once leave a shelf of whole ones, ${RACES} times`,
    async () => {
      const race = join(folder, 'race')
      mkdirSync(race)
      const outcomes: Record<string, number> = {}
      for (let round = 0; round < RACES; round++) {
        await edit(100 + round)
        const at = (second: number) =>
          new Date(RACE_MS + round * 60_000 + second * 1_000).toISOString()
        const now = at(30)
        const runs = await Promise.allSettled<unknown>([
          persistent(() =>
            make(at(1), { full: 3, keep: { ...NO_POLICY, last: 2 } }, { shelf: race }),
          ),
          forgetBackups(race, { ...NO_POLICY, last: 1 }, { now }),
          make(at(2), { full: 3 }, { shelf: race }),
          forgetBackups(race, { ...NO_POLICY, hourly: 2 }, { now }),
        ])
        for (const run of runs) {
          const outcome = run.status === 'fulfilled' ? 'done' : String(codeOf(run.reason))
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
        }
        const { backups, others } = await readShelf(race)
        assert.equal(others, [])
        for (const { name } of backups)
          await verifyArchive(createReadStream(join(race, name)), NO_KEYS)
      }

      assert.equal(Object.keys(outcomes).sort(), ['TARGET_IN_USE', 'done'])
      assert.ok((outcomes['done'] ?? 0) >= RACES, JSON.stringify(outcomes))
      assert.ok((await readShelf(race)).backups.length > 0)
    },
    60_000 + RACES * 10_000,
  )

  test('refuse an identity that does not open them', async () => {
    const identities = parseIdentities(await generateIdentity())
    const before = readdirSync(shelf)

    const error = await rejection(make(dayOf(10), {}, { recipients: [RECIPIENT], identities }))

    assert.is(codeOf(error), 'CONFIG_INVALID')
    assert.equal(readdirSync(shelf), before)
  })
})

const dayOf = (day: number) => `2026-02-${String(day).padStart(2, '0')}T03:00:00.000Z`

/** Tries again while somebody else is at work. */
async function persistent<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (thrown) {
      if (codeOf(thrown) !== 'TARGET_IN_USE') throw thrown
    }
  }
}
