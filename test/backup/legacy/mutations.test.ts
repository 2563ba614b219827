import { chmod, copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readLegacyBackup } from '../../../src/backup/legacy/backup.ts'
import { isRm3Error } from '../../../src/errors.ts'
import { assert, suite } from '../../harness.ts'
import {
  backupOf,
  inFolder,
  type Loose,
  record,
  row,
  simplePage,
  writeBackup,
} from './old-backup.ts'
import { checkPlan } from './plan-rules.ts'
import { sharedData } from './shared-data.ts'

const ROUNDS = 200
const SEED = 20161022
const SLOW_MS = 5000
const VALUES: unknown[] = [
  ...[null, true, 0, -1, 1e300, 2 ** 53, '', 'x', '../x', 'wh', [], {}, [[]], [null]],
  ...[{ path: [] }, { path: ['wh', 7] }, { toString: 1 }, { constructor: { prototype: 1 } }],
  ...['9999-12-31T23:59:59Z', '0001-01-01T00:00:00Z', '2016-01-01', 'x'.repeat(3000)],
  ...['Create', 'Update', 'Move', 'Delete', 'rm3:assign', 'rm3:permit', 'constructor'],
]

/** A generator of whole numbers below a bound: the same ones each time. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
type Numbers = (below: number) => number

function mutatedBytes(bytes: Buffer, next: Numbers): Buffer {
  const at = next(bytes.length + 1)
  const length = next(40)
  const part = bytes.subarray(at, at + length)
  const other = bytes.subarray(next(bytes.length + 1)).subarray(0, length)
  switch (next(5)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), other, bytes.subarray(at + length)])
    default: {
      const flipped = Buffer.from(bytes)
      if (at < bytes.length) flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << next(8)), at)
      return flipped
    }
  }
}

/** Replaces, drops, repeats or moves one value somewhere in the JSON. */
function mutatedJson(bytes: Buffer, next: Numbers): Buffer {
  const value: unknown = JSON.parse(bytes.toString('utf8'))
  const holders: Loose[] = []
  const walk = (inside: unknown) => {
    if (typeof inside !== 'object' || inside === null) return
    holders.push(inside as Loose)
    for (const member of Object.values(inside)) walk(member)
  }
  walk(value)
  for (let changes = 1 + next(3); changes > 0; changes--) {
    const holder = holders[next(holders.length)] ?? {}
    const other = holders[next(holders.length)] ?? {}
    const keys = Object.keys(holder)
    const key = keys[next(keys.length)] ?? 'x'
    const kind = next(5)
    if (kind === 0) delete holder[key]
    else if (kind === 1 && Array.isArray(holder))
      holder.push(structuredClone(holder[next(holder.length)]))
    else if (kind === 2) holder[key] = structuredClone(other[Object.keys(other)[0] ?? 'x'] ?? null)
    else holder[key] = VALUES[next(VALUES.length)]
  }
  return Buffer.from(JSON.stringify(value))
}

async function tally(dir: string, seed: number): Promise<{ whole: number; refused: number }> {
  const next = numbersFrom(seed)
  const names = (await readdir(dir)).sort()
  const counts = { whole: 0, refused: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const name = names[next(names.length)] ?? ''
    const bytes = await readFile(join(dir, name))
    const json = name.endsWith('.json') && next(4) > 0
    await writeFile(join(dir, name), json ? mutatedJson(bytes, next) : mutatedBytes(bytes, next))
    const start = Date.now()
    const outcome = await readLegacyBackup(dir)
      .then(checkPlan)
      .then(
        () => null,
        thrown => thrown as unknown,
      )
    const place = `seed ${seed}, round ${round}, file ${name}: ${String((outcome as Error)?.stack)}`
    assert.ok(outcome === null || isRm3Error(outcome, 'SOURCE_DAMAGED'), place)
    assert.ok(Date.now() - start < SLOW_MS, place)
    counts[outcome === null ? 'whole' : 'refused']++
    await writeFile(join(dir, name), bytes)
  }
  assert.is(({} as Loose)['polluted'], undefined)
  assert.equal(Object.keys(Object.prototype), [])
  return counts
}

function richBackup() {
  const a = { path: 'wh.a', entity: 20 }
  const made = row({ ...a, revision: 21, minute: 30 })
  const draft = row({
    ...{ ...a, revision: 22, minute: 40, evtClass: 'Update', num: 2, base: 21, endMinute: 60 },
    title: 'Draft',
  })
  const gone = row({ ...a, revision: 23, minute: 70, evtClass: 'Delete', num: 3, base: 22 })
  const b = { path: 'wh.a', entity: 30, revision: 31, minute: 80 }
  const moved = row({
    ...{ ...b, revision: 32, minute: 90, evtClass: 'Move', num: 2, base: 31 },
    data: { toPath: { path: ['wh', 'b'] } },
  })
  const edit = row({
    ...{ ...b, path: 'wh.b', revision: 33, minute: 95, evtClass: 'Update', num: 3, base: 32 },
  })
  const third = row({ path: 'wh.a', entity: 40, revision: 41, minute: 99, actor: 'wh.users.ann' })
  const path = 'wh.users.ann'
  const ann = row({ path, entity: 50, revision: 51, minute: 20, toData: { proto: 'user' } })
  const role = row({
    ...{ path, entity: 0, revision: 52, minute: 21, evtClass: 'rm3:assign', data: { role: 'x' } },
  })
  return backupOf(
    simplePage('wh', 10),
    record('wh.a', third, [made, draft, gone, row(b), moved, third]),
    record('wh.b', edit, [edit]),
    record(path, ann, [ann, role]),
  ).set('permissions.json', [
    { type: 'permit', role: 'x', permission: 'view', path: '*' },
    { type: 'assign', role: 'x', user: 'ann' },
  ])
}

suite('mutations of a legacy backup', test => {
  for (const seed of [SEED, SEED + 1]) {
    test(`never lead to anything but a plan or SOURCE_DAMAGED (seed ${seed})`, async () => {
      const counts = await inFolder(async dir => {
        await writeBackup(dir, richBackup())
        return tally(dir, seed)
      })

      assert.ok(counts.whole > 0 && counts.refused > counts.whole / 10, JSON.stringify(counts))
    })
  }
  const data = sharedData('mutations of real backups')
  for (const version of data === null ? [] : ['v0.2.0', 'v0.3.8']) {
    test(`of rm3 ${version} never lead to anything but a plan or SOURCE_DAMAGED`, async () => {
      const from = join(data ?? '', 'rm3-backups', version)
      const counts = await inFolder(async dir => {
        for (const name of await readdir(from)) {
          await copyFile(join(from, name), join(dir, name))
        }
        for (const name of await readdir(dir)) await chmod(join(dir, name), 0o600)
        return tally(dir, SEED)
      })

      assert.ok(counts.whole > 0 && counts.refused > 0, JSON.stringify(counts))
    })
  }
})
