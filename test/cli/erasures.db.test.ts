import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { change } from '../../src/commands/change.ts'
import { erase } from '../../src/commands/erase.ts'
import { createPage, movePage } from '../../src/commands/pages.ts'
import type { Wanted } from '../../src/content/plan-erasure.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'
import { testEraser } from '../support/erasing.ts'
import { openShell, type Shell } from './run.ts'

interface Erasures {
  readonly items: readonly { readonly entityId: string; readonly events: readonly string[] }[]
}

/** Each test runs some processes. */
const DEADLINE_MS = 120_000
const SECRET = await generateX25519Identity()
const RECIPIENT = await identityToRecipient(SECRET)

suite('erasures that an archive tells of', test => {
  let open: TestSite
  const ids = new Map<string, string>()
  let shell: Shell
  let before = 0
  let wanted: Erasures

  const to = (site: string, input?: string) => ({
    env: { RM3_SITE: site },
    ...(input && { input }),
  })
  const erasuresOf = async (site: string) => {
    const { stdout } = await shell.run('rm3admin', ['erasures', '--json'], to(site))
    return (JSON.parse(stdout) as Erasures).items.map(({ entityId, events }) => [entityId, events])
  }
  const told = () => wanted.items.map(({ entityId, events }) => [entityId, events])

  test.before(async () => {
    open = await testSite()
    shell = openShell(open.url)
    writeFileSync(join(shell.folder, 'key.txt'), SECRET)
    writeFileSync(join(shell.folder, 'other.txt'), await generateX25519Identity())
    const document = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
    for (const path of ['wh', 'wh.a', 'wh.b']) {
      const made = await change(open.site, AS_ROOT, it => createPage(it, { path, document }))
      ids.set(path, made.result.id)
    }
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.b', 'wh.c'))
    await shell.run('rm3backup', ['older'])
    const full = await shell.json<{ head: { position: number } }>('rm3backup', [
      ...['--archive', 'older.rm3'],
    ])
    before = full.head.position
    const { eraser, remove } = await testEraser(open)
    const erasing = (path: string, wanted: Wanted, reason: string | null) =>
      erase(eraser, {
        ...{ entityId: ids.get(path) ?? '', wanted, reason, actor: 'root', door: 'cli' },
        keepsShown: false,
      })
    await erasing('wh.b', new Set([2]), null)
    await erasing('wh.a', 'whole', 'asked')
    await erasing('wh.b', 'whole', 'asked')
    remove()
    wanted = await shell.json<Erasures>('rm3admin', ['erasures'])
    await shell.run('rm3backup', ['--archive', 'newer.rm3'])
    await shell.run('rm3backup', ['--archive', 'secret.rm3', '--recipient', RECIPIENT])
    await shell.run('rm3backup', ['--archive', 'more.rm3', '--since', String(before)])
  }, DEADLINE_MS)
  test.after(async () => {
    await open.close()
    shell.close()
  })

  test(
    'are done again behind a load, also of an encrypted one',
    async () => {
      const plain = await shell.run(
        'rm3load',
        ['-d', 'older', '--erasures', 'newer.rm3'],
        to('one'),
      )
      const args = ['-d', 'older', '--erasures', 'secret.rm3', '--identity']
      const wrong = await shell.run('rm3load', [...args, 'other.txt'], to('two'))
      const secret = await shell.run('rm3load', [...args, 'key.txt', '--json'], to('two'))

      assert.equal([plain.code, wrong.code, secret.code], [0, 12, 0])
      assert.match(plain.stdout, /3 of 3 erasures that newer\.rm3 knows were done again/)
      assert.is((JSON.parse(secret.stdout) as { erasedAgain: number }).erasedAgain, 3)
      for (const site of ['one', 'two']) {
        assert.equal(await erasuresOf(site), told(), site)
        const dump = await shell.run('rm3dump', ['wh.a'], to(site))
        assert.is(dump.code, 10)
        assert.match(dump.stderr, 'what it said was erased')
        assert.is((await shell.run('rm3admin', ['verify'], to(site))).code, 0)
      }
    },
    DEADLINE_MS,
  )

  test(
    'come through a pipe as a list',
    async () => {
      await shell.run('rm3load', ['--archive', 'older.rm3'], to('three'))
      const apply = (input: string) =>
        shell.run('rm3admin', ['erasures', 'apply', '-'], to('three', input))

      const first = await apply(`\n ${JSON.stringify(wanted)}`)
      const second = await apply(JSON.stringify(wanted))

      assert.equal([first.code, second.code], [0, 0])
      assert.match(first.stdout, /3 of 3/)
      assert.match(second.stdout, /0 of 3/)
      assert.equal(await erasuresOf('three'), told())
    },
    DEADLINE_MS,
  )

  test(
    'are refused where they are not whole, before anything is loaded',
    async () => {
      const bytes = readFileSync(join(shell.folder, 'newer.rm3'))
      writeFileSync(join(shell.folder, 'cut.rm3'), bytes.subarray(0, bytes.length - 10))
      writeFileSync(join(shell.folder, 'odd.json'), '{"items": [7]}')
      const load = async (source: string, ...args: string[]) =>
        (await shell.run('rm3load', [...args, '--erasures', source], to('four'))).code

      assert.is(await load('more.rm3', '-d', 'older'), 3)
      assert.is(await load('cut.rm3', '-d', 'older'), 13)
      assert.is(await load('odd.json', '-d', 'older'), 3)
      assert.is(await load('none', '-d', 'older'), 10)
      assert.is(await load('-', '--archive', '-'), 2)
      assert.is((await shell.run('rm3load', ['-d', 'older'], to('four'))).code, 0)
    },
    DEADLINE_MS,
  )
})
