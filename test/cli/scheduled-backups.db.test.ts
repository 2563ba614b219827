import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { withShelf } from '../../src/backup/shelf-lock.ts'
import { assert, suite } from '../harness.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { openShell, type Shell } from './run.ts'

interface Status {
  readonly backups: {
    readonly backup: {
      readonly name: string
      readonly position: number
      readonly sizeBytes: number
    } | null
    readonly drill: { readonly backup: string } | null
  }
  readonly head: { readonly position: number }
}

interface WorkerStatus {
  readonly workers: readonly { readonly name: string }[]
}

suite('backups by the settings of a site', test => {
  let database: TestDatabase
  let shell: Shell
  let shelf: string

  test.before(async () => {
    database = await testDatabase()
    shell = openShell(database.url)
    shelf = join(shell.folder, 'data', 'backups')
    await shell.run('rm3admin', ['adduser', 'ann', 'Ann'])
  })
  test.after(async () => {
    await database.drop()
    shell.close()
  })

  test('there is none at first, and status says so', async () => {
    const { code, stdout, stderr } = await shell.run('rm3admin', ['status', '--max-age', '26h'])

    assert.is(code, 1)
    assert.match(stdout, /Backup +none is scheduled yet/)
    assert.match(stderr, /there is no scheduled backup/)
    assert.is((await shell.run('rm3admin', ['status'])).code, 0)
    assert.is((await shell.run('rm3admin', ['status', '--max-age', 'long'])).code, 2)
  })

  test('the worker makes one, in a process of its own', async () => {
    const { code, stderr } = await shell.run('rm3admin', ['worker', 'run', 'backup'])
    const status = await shell.json<Status>('rm3admin', ['status', '--max-age', '1h'])

    assert.is(code, 0, stderr)
    assert.is(status.backups.backup?.position, status.head.position)
    assert.ok(existsSync(join(shelf, status.backups.backup?.name ?? '')))
  }, 60_000)

  test('one that is too old, or fails, is seen in the status', async () => {
    const env = { RM3_BACKUPS: '/dev/null/shelf' }
    const failed = await shell.run('rm3admin', ['worker', 'run', 'backup'], { env })
    const { stdout, code } = await shell.run('rm3admin', ['status', '--max-age', '1h'])
    const old = await shell.run('rm3admin', ['status', '--max-age', '1s'])
    const data = await shell.json<WorkerStatus>('rm3admin', ['status'])

    assert.not.equal(failed.code, 0)
    assert.is(code, 0, 'the last good one is young')
    assert.match(stdout, /^ +backup .*(fail|FAIL)/m)
    assert.is(old.code, 1)
    assert.match(old.stderr, /the last good backup is .* hours old/)
    assert.match(JSON.stringify(data.workers.find(({ name }) => name === 'backup')), '/dev/null')
  }, 60_000)

  test('the worker for that rehearses the newest', async () => {
    const { code, stderr } = await shell.run('rm3admin', ['worker', 'run', 'restore-drill'])
    const { backups } = await shell.json<Status>('rm3admin', ['status'])

    assert.is(code, 0, stderr)
    assert.match(backups.drill?.backup ?? '', /\.rm3$/)
  }, 60_000)

  test('increments are rehearsed behind what they continue, encrypted ones where the key is', async () => {
    const key = join(shell.folder, 'key.txt')
    const secret = await generateX25519Identity()
    writeFileSync(key, `# a key\n${secret}\n`)
    const env = {
      RM3_BACKUPS: join(shell.folder, 'other'),
      RM3_BACKUP_RECIPIENT: await identityToRecipient(secret),
    }
    await shell.run('rm3admin', ['config', 'set', 'backup.full', '7'])
    await shell.run('rm3backup', ['scheduled'], { env })
    await shell.run('rm3admin', ['config', 'set', 'plugin.x', '1'])
    const made = await shell.run('rm3backup', ['scheduled'], { env })
    const [, newest = ''] = readdirSync(env.RM3_BACKUPS).filter(name => name.endsWith('.rm3'))

    const without = await shell.run('rm3backup', ['rehearse'], { env })
    const withKey = await shell.run('rm3backup', ['rehearse'], {
      env: { ...env, RM3_BACKUP_IDENTITY_FILE: key },
    })
    const named = await shell.run('rm3backup', [
      ...['rehearse', join(env.RM3_BACKUPS, newest), '--identity', key, '--json'],
    ])

    assert.match(made.stdout, /to load it takes 2 archives/)
    assert.match(made.stdout, /encrypted: it cannot be read again here/)
    assert.equal([without.code, withKey.code, named.code], [12, 0, 0])
    assert.match(withKey.stdout, /behind 1 that it continues/)
    assert.is((JSON.parse(named.stdout) as { parts: number }).parts, 2)
  }, 120_000)

  test('a rehearsal of what is none fails, with the exit code of loading it', async () => {
    const none = await shell.run('rm3backup', ['rehearse', join(shell.folder, 'none')])

    assert.is(none.code, 10)
  })

  test('forget keeps what rules say, and does nothing without one', async () => {
    const without = await shell.run('rm3backup', ['forget', shelf])
    const zero = await shell.run('rm3backup', ['forget', shelf, '--keep-daily', '0'])
    const [file = ''] = readdirSync(shelf)
    const told = await shell.json<{ backups: { keep: boolean; reasons: string[] }[] }>(
      'rm3backup',
      [...['forget', shelf, '--keep-last', '1', '--keep-weekly', 'unlimited', '--dry-run']],
    )

    assert.is(without.code, 2)
    assert.is(zero.code, 2)
    assert.equal(
      told.backups.map(({ keep, reasons }) => [keep, ...reasons]),
      [[true, 'last', 'weekly']],
    )
    assert.ok(existsSync(join(shelf, file)))
    assert.is(
      (await shell.run('rm3backup', ['forget', join(shell.folder, 'none'), '--keep-last', '1']))
        .code,
      10,
    )
  })

  test('one at a time works on a shelf, and another one ends with 11', async () => {
    await withShelf(shelf, async () => {
      const made = await shell.run('rm3backup', ['scheduled'])
      const forgotten = await shell.run('rm3backup', ['forget', shelf, '--keep-last', '1'])
      const told = await shell.run('rm3backup', ['forget', shelf, '--keep-last', '1', '--dry-run'])

      assert.equal([made.code, forgotten.code, told.code], [11, 11, 0])
      assert.match(made.stderr, new RegExp(`the process ${process.pid} on .*TARGET_IN_USE`, 's'))
    })
    assert.is((await shell.run('rm3backup', ['scheduled'])).code, 0)
  }, 60_000)

  test('status says of an encrypted one that nobody rehearses it, and the worker leaves it', async () => {
    const secret = await generateX25519Identity()
    const env = { RM3_BACKUP_RECIPIENT: await identityToRecipient(secret) }
    await shell.run('rm3admin', ['config', 'set', 'backup.drill', '1h'])
    await shell.run('rm3admin', ['worker', 'run', 'backup'], { env })

    const { stdout } = await shell.run('rm3admin', ['status', '--max-age', '1h'])
    const workers = await shell.run('rm3admin', ['worker', 'list'])

    assert.match(stdout, /encrypted: neither read again nor rehearsed here/)
    assert.match(workers.stdout, /restore-drill(?!.*due)/)
  }, 120_000)

  test('take no setting that would keep them from being made, and say what it takes', async () => {
    const kind = await shell.run('rm3admin', ['config', 'set', 'backup.kind', 'tape'])
    const misspelt = await shell.run('rm3admin', ['config', 'set', 'backup.shedule', '24h'])

    assert.equal([kind.code, misspelt.code], [2, 2])
    assert.match(kind.stderr, /backup\.kind is archive or folder/)
    assert.match(misspelt.stderr, /backup\.schedule/)
  })
})
