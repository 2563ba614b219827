import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRm3Error } from '../../../src/errors.ts'
import { serverAccount } from '../../../src/pg/managed/account.ts'
import { type Binaries, findBinaries } from '../../../src/pg/managed/binaries.ts'
import { initialise } from '../../../src/pg/managed/initialise.ts'
import { preparePlace, SHARED_FOLDER } from '../../../src/pg/managed/place.ts'
import { isProcessAlive, readServerPid, waitUntil } from '../../../src/pg/managed/processes.ts'
import { type ManagedOptions, startManagedPostgres } from '../../../src/pg/managed/start.ts'
import { assert, rejection, suite } from '../../harness.ts'
import { hold, query, release } from '../../support/managed.ts'

const GONE_DEADLINE_MS = 8_000
const OLDER = 15

suite('a managed PostgreSQL', test => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'rm3-managed-')))
  chmodSync(root, 0o755)
  const shared = join(root, 'shared')
  let lines: string[] = []
  const start = (dataDir: string, lifetime: ManagedOptions['lifetime'] = 'command') =>
    startManagedPostgres({ dataDir, lifetime, mode: 'durable', log: line => lines.push(line) })
  const hasGone = (pid: number) => waitUntil(() => !isProcessAlive(pid), 50, GONE_DEADLINE_MS)

  test.after(() => rmSync(root, { recursive: true, force: true }))

  test('starts from nothing, durable and closed to others; a second start finds the data', async () => {
    const first = await start(shared)
    await query(first.url, 'create table kept as select 42 as n')
    const [settings] = await query(
      first.url,
      `select current_setting('fsync') fsync, current_setting('synchronous_commit') commit,
              current_setting('data_checksums') checksums, current_setting('listen_addresses') tcp,
              current_setting('server_encoding') encoding, current_database() as database`,
    )
    await first.stop()
    const second = await start(shared)
    const rows = await query(second.url, 'select n from kept')
    await second.stop()

    assert.equal(settings, {
      fsync: 'on',
      commit: 'on',
      checksums: 'on',
      tcp: '',
      encoding: 'UTF8',
      database: 'rm3',
    })
    assert.equal(rows, [{ n: 42 }])
    assert.is(first.adopted, false)
    assert.is(lstatSync(join(shared, 's')).mode & 0o777, 0o700)
    assert.is(readServerPid(join(shared, 'data')), null)
  })

  test('is used by a second process, whose end its owner waits for', async () => {
    lines = []
    const owner = await start(shared)
    const other = await hold(shared)

    const stopped = owner.stop()
    const isWaiting = await waitUntil(() => lines.length > 0, 20, GONE_DEADLINE_MS)
    const rows = await query(other.url, 'select 1 as n')
    await Promise.all([stopped, release(other)])

    assert.is(other.adopted, true)
    assert.ok(isWaiting)
    assert.match(lines.join(), /Waiting for hold-postgres \(process \d+\) to be done/)
    assert.equal(rows, [{ n: 1 }])
    assert.not(isProcessAlive(other.serverPid))
  })

  test('stops at once when it is told a second time', async () => {
    const owner = await start(shared)
    const other = await hold(shared)

    await Promise.all([owner.stop(), owner.stop()])

    assert.not(isProcessAlive(other.serverPid))
    await release(other)
  })

  test('a server waits for the command that started it, then starts its own', async () => {
    lines = []
    const command = await hold(shared)

    const starting = start(shared, 'server')
    await waitUntil(() => lines.length > 0, 20, GONE_DEADLINE_MS)
    await release(command)
    const own = await starting
    await own.stop()

    assert.is(own.adopted, false)
    assert.match(lines.join(), /Waiting for hold-postgres/)
  })

  test('a server shares with another server', async () => {
    const first = await hold(shared, 'server')

    const second = await start(shared, 'server')
    await second.stop()
    await release(first)

    assert.is(second.adopted, true)
  })

  test('kill -9 of its owner leaves none behind and loses nothing acknowledged', async () => {
    const owner = await hold(shared)
    await query(owner.url, 'create table acknowledged as select 7 as n')

    owner.child.kill('SIGKILL')
    const isGone = await hasGone(owner.serverPid)
    const next = await start(shared)
    const rows = await query(next.url, 'select n from acknowledged')
    await next.stop()

    assert.ok(isGone)
    assert.equal(rows, [{ n: 7 }])
  })

  test('kill -9 of its owner leaves none behind where there is no setpriv', async () => {
    const owner = await hold(shared, 'command', { PATH: '/nowhere' })

    owner.child.kill('SIGKILL')

    assert.ok(await hasGone(owner.serverPid))
  })

  test('kill -9 of owner and server at once is made good by the next start', async () => {
    const owner = await hold(shared)
    await query(owner.url, 'create table twice_killed as select 9 as n')

    process.kill(owner.serverPid, 'SIGKILL')
    owner.child.kill('SIGKILL')
    const next = await start(shared)
    const rows = await query(next.url, 'select n from twice_killed')
    await next.stop()

    assert.equal(rows, [{ n: 9 }])
  })

  test('is started again when it alone is killed, with all that was acknowledged', async () => {
    lines = []
    const owner = await start(shared)
    await query(owner.url, 'create table survivor as select 8 as n')
    const answers = () =>
      query(owner.url, 'select n from survivor').then(
        rows => rows.length === 1,
        () => false,
      )

    process.kill(readServerPid(join(shared, 'data')) ?? 0, 'SIGKILL')
    await waitUntil(() => lines.length > 0, 20, GONE_DEADLINE_MS)
    const isBack = await waitUntil(answers, 50, GONE_DEADLINE_MS)
    await owner.stop()

    assert.ok(isBack)
    assert.match(lines.join('\n'), /ended unexpectedly/)
  })

  test('two first starts at once end up with one server', async () => {
    const both = await Promise.all([hold(join(root, 'raced')), hold(join(root, 'raced'))])

    assert.is(both.filter(holder => holder.adopted).length, 1)
    assert.is(both[0].serverPid, both[1].serverPid)
    await Promise.all(both.map(release))
  })

  test('a pid file that names another program does not keep it from starting', async () => {
    const file = join(shared, 'data/postmaster.pid')
    writeFileSync(file, `${process.pid}\n${shared}/data\n0\n5432\n\n\n       1         1\n`)

    const owner = await start(shared)
    const pid = readServerPid(join(shared, 'data'))
    await owner.stop()

    assert.is.not(pid, process.pid)
  })

  test('a folder with a long path has its socket elsewhere', async () => {
    const owner = await start(join(root, 'l'.repeat(120)))
    const rows = await query(owner.url, 'select 1 as n')
    await owner.stop()
    rmSync(new URL(owner.url).searchParams.get('host') ?? '', { recursive: true })

    assert.match(owner.url, /host=%2Ftmp%2Frm3-/)
    assert.equal(rows, [{ n: 1 }])
  })

  const small = mountSmall(join(root, 'small'))
  if (small) {
    test('a full disk is named as such, and leaves nothing half made', async () => {
      const error = await rejection(start(join(small, 'pg')))
      const left = readdirSync(join(small, 'pg'))
      execFileSync('umount', [small])

      assert.ok(isRm3Error(error, 'DISK_FULL'), String(error))
      assert.equal(
        left.filter(name => /^(new|data)/.test(name)),
        [],
      )
    })
  } else {
    test.skip('a full disk is named as such', 'no small disk can be mounted here')
  }

  const older = olderBinaries(root)
  if (older) {
    test(`data of PostgreSQL ${OLDER} are run by that version`, async () => {
      const account = serverAccount()
      const place = preparePlace(join(root, 'older'), account, () => {})
      await initialise(place, older, account, 'durable')

      const owner = await start(join(root, 'older'))
      const [row] = await query(owner.url, `select current_setting('server_version') as version`)
      await owner.stop()

      assert.match(String(row?.['version']), new RegExp(`^${OLDER}\\.`))
    })
  } else {
    test.skip(`data of PostgreSQL ${OLDER} are run by that version`, 'it is not installed here')
  }

  if (serverAccount() !== null) {
    test('a folder that the server may not reach becomes a link to one that it may', async () => {
      lines = []
      mkdirSync(join(root, 'closed'), { mode: 0o700 })

      const owner = await start(join(root, 'closed/pg'))
      const folder = realpathSync(join(root, 'closed/pg'))
      const rows = await query(owner.url, 'select 1 as n')
      await owner.stop()
      rmSync(folder, { recursive: true })

      assert.ok(folder.startsWith(`${SHARED_FOLDER}/site-`))
      assert.equal(rows, [{ n: 1 }])
      assert.match(lines.join('\n'), /who may not enter/)
    })
  } else {
    test.skip('a folder that the server may not reach becomes a link', 'we are not root')
  }
})

/** A file system with room for less than an empty database; null when we may not mount one. */
function mountSmall(folder: string): string | null {
  mkdirSync(folder)
  try {
    const options = ['-t', 'tmpfs', '-o', 'size=12m,mode=755', 'tmpfs', folder]
    execFileSync('mount', options, { stdio: 'ignore' })
    return folder
  } catch {
    return null
  }
}

function olderBinaries(cacheFolder: string): Binaries | null {
  try {
    return findBinaries(OLDER, serverAccount(), cacheFolder)
  } catch {
    return null
  }
}
