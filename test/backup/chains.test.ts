import { chainOf, chainsOf } from '../../src/backup/chains.ts'
import type { ShelvedBackup } from '../../src/backup/shelf.ts'
import { assert, suite } from '../harness.ts'

const START = Date.parse('2030-01-01T00:00:00.000Z')
const DAY_MS = 86_400_000

/** An archive of the n-th day, up to a position and, where it continues others, from one. */
const archive = (day: number, position: number, since: number | null): ShelvedBackup => ({
  ...{ name: `day-${day}`, kind: 'archive', at: new Date(START + day * DAY_MS).toISOString() },
  ...{ site: 'site', position, chain: `chain-${position}`, path: null, contents: 'history' },
  since: since === null ? null : { position: since, chain: `chain-${since}` },
  ...{ sizeBytes: 1, encrypted: false },
})
const namesOf = (chain: readonly ShelvedBackup[] | null) => chain?.map(({ name }) => name) ?? null

suite('what it takes to load a backup', test => {
  test('is all that it continues, one behind the other', () => {
    const backups = [archive(3, 30, 20), archive(2, 20, 10), archive(1, 10, null)]

    assert.equal(namesOf(chainOf(backups, archive(3, 30, 20))), ['day-1', 'day-2', 'day-3'])
    assert.equal(namesOf(chainOf(backups, archive(1, 10, null))), ['day-1'])
  })

  test('is not there when something between is not', () => {
    const backups = [archive(3, 30, 20), archive(1, 10, null)]

    assert.is(chainOf(backups, archive(3, 30, 20)), null)
    assert.equal([...chainsOf(backups).values()].map(namesOf), [['day-1'], null])
  })

  test('is short on a site where nothing happens, however many there are', () => {
    const idle = Array.from({ length: 200 }, (_, n) => archive(n + 2, 10, 10))
    const backups = [...idle.reverse(), archive(1, 10, null)]

    assert.equal(namesOf(chainOf(backups, archive(201, 10, 10))), ['day-1', 'day-201'])
    assert.ok([...chainsOf(backups).values()].every(chain => (chain?.length ?? 0) <= 2))
  })
})
