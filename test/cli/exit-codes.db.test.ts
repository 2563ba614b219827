import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, closeSync, cpSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { MAGIC } from '../../src/backup/archive/frames.ts'
import { withShelf } from '../../src/backup/shelf-lock.ts'
import { PACKAGE_ROOT } from '../../src/package-root.ts'
import { edit, sealed } from '../backup/folder/reseal.ts'
import { assert, suite } from '../harness.ts'
import { frameOf } from '../support/archives.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { ended, openShell, type Ran, type Shell } from './run.ts'

const pageAt = (path: string) =>
  JSON.stringify({ path, proto: 'base', summary: { title: path }, data: {}, tags: {} })
const DEADLINE_MS = 120_000
const NOWHERE = 'postgresql://127.0.0.1:1/none'
/** Of an archive, more than fits into a pipe: when all of it is taken, the reader waits for the rest. */
const BEGINNING = Buffer.concat([
  MAGIC,
  frameOf('E', Buffer.alloc(4_000_000)).subarray(0, 2_000_000),
])
const SECRET = await generateX25519Identity()

type Program = 'rm3backup' | 'rm3load'
/** What is called, in a folder with backups of a site, and what it ends with. */
type Case = readonly [code: number, error: string, program: Program, ...args: string[]]

const CASES: readonly Case[] = [
  [1, 'UNAVAILABLE', 'rm3backup', 'x'],
  [1, 'UNAVAILABLE', 'rm3load', '-d', 'whole'],
  [2, 'USAGE', 'rm3backup'],
  [2, 'USAGE', 'rm3backup', 'verify'],
  [2, 'USAGE', 'rm3load', '--no-such-option'],
  [3, 'BACKUP_INCOMPLETE', 'rm3load', '-d', 'lacking'],
  [3, '', 'rm3backup', 'verify', 'lacking'],
  [10, 'PAGE_NOT_FOUND', 'rm3backup', 'x', '-p', 'wh.none'],
  [10, 'SOURCE_NOT_FOUND', 'rm3backup', 'verify', 'none'],
  [10, 'SOURCE_NOT_FOUND', 'rm3load', '-d', 'none'],
  [11, 'TARGET_IN_USE', 'rm3backup', 'forget', 'shelf', '--keep-last', '1'],
  [12, 'WRONG_KEY', 'rm3backup', 'verify', 'secret.rm3'],
  [12, 'WRONG_KEY', 'rm3load', '--archive', 'secret.rm3'],
  [13, '', 'rm3backup', 'verify', 'damaged'],
  [13, '', 'rm3backup', 'verify', 'damaged.rm3'],
  [13, 'BACKUP_DAMAGED', 'rm3load', '-d', 'damaged'],
  [13, 'BACKUP_DAMAGED', 'rm3load', '--archive', 'damaged.rm3'],
  [14, 'TARGET_EXISTS', 'rm3backup', 'whole'],
  [14, 'TARGET_EXISTS', 'rm3backup', '--archive', 'secret.rm3'],
  [14, 'SITE_NOT_EMPTY', 'rm3load', '-d', 'whole'],
  [15, '', 'rm3backup', 'verify', 'newer'],
  [15, 'BACKUP_NEWER', 'rm3load', '-d', 'newer'],
]

suite('what rm3backup and rm3load end with', test => {
  let database: TestDatabase
  let shell: Shell
  const in_ = (name: string) => join(shell.folder, name)

  test.before(async () => {
    database = await testDatabase()
    shell = openShell(database.url)
    for (const path of ['wh']) {
      const { code, stderr } = await shell.run('rm3load', ['-f', '-', '-p', path], {
        input: pageAt(path),
      })
      assert.is(code, 0, stderr)
    }
    await shell.json('rm3backup', ['whole'])
    for (const dir of ['lacking', 'damaged', 'newer']) {
      cpSync(in_('whole'), in_(dir), { recursive: true })
    }
    const recipient = ['--recipient', await identityToRecipient(SECRET)]
    await shell.json('rm3backup', ['--archive', 'secret.rm3', ...recipient])
    await shell.json('rm3backup', ['--archive', 'damaged.rm3'])
    mkdirSync(in_('data/backups'))
    appendFileSync(in_('damaged/wh-data.json'), ' ')
    appendFileSync(in_('damaged.rm3'), ' ')
    rmSync(in_('lacking/settings.json'))
    edit(in_('newer'), 'catalog.json', text => sealed(text.replace('"1.0"', '"2.0"')))
  }, DEADLINE_MS)
  test.after(async () => {
    await database.drop()
    shell.close()
  })

  const demand = (ran: Ran, [code, error]: readonly [number, string, ...string[]]) => {
    assert.is(ran.code, code, ran.stderr + ran.stdout)
    const last = JSON.parse(ran.stdout.trimEnd().split('\n').at(-1) ?? '') as {
      readonly ok: boolean
      readonly error?: { readonly code: string; readonly message: string }
    }
    assert.is(last.ok, false)
    assert.is(last.error?.code ?? '', error)
    if (error === 'INTERRUPTED') assert.match(ran.stderr, 'interrupted')
    else if (error !== '') assert.match(ran.stderr, `(${error})`)
  }

  for (const [index, given] of CASES.entries()) {
    const [code, error, program, ...args] = given
    test(`${index}: ${code} ${error} of ${program} ${args.join(' ')}, told as JSON too`, async () => {
      const env = {
        RM3_BACKUPS: in_('data/backups'),
        ...(code === 1 && { RM3_PG: NOWHERE }),
        ...(code === 13 && { RM3_SITE: 'other' }),
      }
      const words = args.map(arg => (arg === 'shelf' ? in_('data/backups') : arg))
      const run = () => shell.run(program, [...words, '--json'], { env })

      demand(await (code === 11 ? withShelf(env.RM3_BACKUPS, run) : run()), given)

      assert.is(existsSync(in_('x')) || existsSync(in_('x.partial')), false)
    }, 30_000)
  }

  test('28 where what stdout goes to is full, and the archive alone stands there', async () => {
    if (!existsSync('/dev/full')) return
    const full = openSync('/dev/full', 'w')
    const command = join(PACKAGE_ROOT, 'dist/src/cli/rm3backup.js')
    const child = spawn(process.execPath, [command, '--archive', '-', '--json'], {
      cwd: shell.folder,
      env: { RM3_PG: database.url, RM3_DANGER_UNSAFE_DATABASE: 'true' },
      stdio: ['ignore', full, 'pipe'],
    })
    closeSync(full)
    let stderr = ''
    child.stderr?.on('data', text => {
      stderr += text
    })
    const [code] = await once(child, 'close')

    assert.is(code, 28, stderr)
    assert.match(stderr, /DISK_FULL/)
    const { stdout } = await shell.run('rm3backup', ['--archive', '-', '--since', '99', '--json'])
    assert.is(stdout, '')
  })

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(
      `${code} when ${signal} interrupts who waits for a pipe, told as JSON too`,
      async () => {
        const children = [
          shell.start('rm3backup', ['verify', '-', '--json']),
          shell.start('rm3load', ['--archive', '-', '--json']),
        ]
        for (const { stdin } of children) stdin?.write(BEGINNING)
        await Promise.all(children.map(async ({ stdin }) => stdin && once(stdin, 'drain')))
        const runs = children.map(child => {
          const over = ended(child)
          child.kill(signal)
          return over
        })

        for (const ran of await Promise.all(runs)) demand(ran, [code, 'INTERRUPTED'])
      },
      DEADLINE_MS,
    )
  }
})
