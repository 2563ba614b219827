import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { LOCK, withShelf } from '../../src/backup/shelf-lock.ts'
import { assert, rejection, suite } from '../harness.ts'
import { refused } from '../support/refused.ts'

const ROUNDS = 60
const AT_ONCE = 20
const HOUR_MS = 3_600_000

suite('a shelf of backups', test => {
  let dir: string
  test.before(() => {
    dir = mkdtempSync(join(tmpdir(), 'rm3-lock-'))
  })
  test.after(() => rmSync(dir, { recursive: true }))

  const path = () => join(dir, LOCK)
  const left = (owner: object | string, ageMs = 0) => {
    writeFileSync(path(), typeof owner === 'string' ? owner : JSON.stringify(owner))
    const then = new Date(Date.now() - ageMs)
    utimesSync(path(), then, then)
  }
  const work = () => withShelf(dir, async () => 'done')
  const dead = { pid: 4_194_304, host: hostname(), token: 'x' }

  test("is one's at a time, also where many take over what a dead process has left", async () => {
    let inside = 0
    let most = 0
    const one = () =>
      withShelf(dir, async () => {
        most = Math.max(most, ++inside)
        for (let turn = 0; turn < 5; turn++) await setImmediate()
        inside--
      })
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 0) left(dead)
      const runs = await Promise.allSettled(Array.from({ length: AT_ONCE }, one))
      const codes = runs.flatMap(run => (run.status === 'rejected' ? [run.reason.code] : []))
      assert.ok(codes.length < AT_ONCE, 'one has it')
      assert.ok(
        codes.every(code => code === 'TARGET_IN_USE'),
        codes.join(' '),
      )
    }
    assert.is(most, 1)
    assert.equal(readdirSync(dir), [])
  })

  test('is free again when the work has failed', async () => {
    const failure = await rejection(withShelf(dir, () => Promise.reject(new Error('failed'))))

    assert.is((failure as Error).message, 'failed')
    assert.is(await work(), 'done')
    assert.is(existsSync(path()), false)
  })

  for (const [title, owner, ageMs] of [
    ['a process that has died', dead, 0],
    ['this process, before the machine began anew', { ...dead, pid: process.pid }, 0],
    ['another machine that is silent for an hour', { ...dead, host: 'other' }, HOUR_MS],
    ['a living process that is silent for an hour', { ...dead, pid: process.ppid }, HOUR_MS],
    ['a process that died before it said who it is', '', HOUR_MS],
    ['something else', 'null', HOUR_MS],
  ] as const) {
    test(`is taken over from ${title}`, async () => {
      left(owner, ageMs)
      assert.is(await work(), 'done')
      assert.equal(readdirSync(dir), [])
    })
  }

  for (const [title, owner] of [
    ['a living process', { ...dead, pid: process.ppid }],
    ['another machine', { ...dead, host: 'other' }],
    ['a process that is about to say who it is', ''],
  ] as const) {
    test(`is not taken over from ${title}`, async () => {
      left(owner)
      assert.is((await refused(work())).code, 'TARGET_IN_USE')
      assert.ok(existsSync(path()))
      rmSync(path())
    })
  }

  test('is not held up for long by one who died while he took it over', async () => {
    left(dead)
    mkdirSync(`${path()}.taking`)
    const then = new Date(Date.now() - HOUR_MS)
    utimesSync(`${path()}.taking`, then, then)

    assert.is((await refused(work())).code, 'TARGET_IN_USE')
    assert.is(await work(), 'done')
    assert.equal(readdirSync(dir), [])
  })

  test('that is not there is told', async () => {
    const error = await refused(withShelf(join(dir, 'none'), async () => {}))
    assert.is(error.code, 'SOURCE_NOT_FOUND')
  })
})
