import fc from 'fast-check'
import { type LegacyBackup, readLegacyBackup } from '../../../src/backup/legacy/backup.ts'
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

const RUNS = 150
const PATHS = ['wh.a', 'wh.b']

/** A row of any class about one of two entities, at one of two paths, at any of few times. */
const ANY_ROW = fc.record({
  evtClass: fc.constantFrom('Create', 'Update', 'Update', 'Move', 'Delete', 'rm3:assign', 'Odd'),
  entity: fc.constantFrom(20, 30),
  minute: fc.integer({ min: 100, max: 110 }),
  wait: fc.constantFrom(0, 0, 0, 3),
  num: fc.integer({ min: 1, max: 4 }),
  base: fc.option(fc.integer({ min: 0, max: 11 })),
  final: fc.boolean(),
  to: fc.constantFrom(...PATHS),
  at: fc.constantFrom(...PATHS),
})
type AnyRow = typeof ANY_ROW extends fc.Arbitrary<infer T> ? T : never

function rowOf(any: AnyRow, place: number): Loose {
  const { evtClass, entity, minute, num, base, final, to, at, wait } = any
  const extra: Record<string, Loose> = {
    Move: { toPath: to },
    'rm3:assign': { role: `r${minute}` },
  }
  const data = extra[evtClass]
  return row({
    ...{ path: at, entity, revision: 200 + place, minute, evtClass, num, final },
    ...{ endMinute: minute + wait, title: `T${place}` },
    ...(base !== null && { base: 200 + base }),
    ...(data && { data }),
  })
}

suite('any history of an old backup', test => {
  test('becomes a plan that keeps to the rules, or is refused', async () => {
    const counts = { whole: 0, refused: 0 }
    const heads = fc.tuple(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 0, max: 11 }))
    const rows = fc.array(ANY_ROW, { minLength: 1, maxLength: 12 })
    const property = fc.asyncProperty(rows, heads, fc.boolean(), async (any, [a, b], both) => {
      const history = any.map(rowOf)
      const record20 = pageOf('wh.a', 20, a, history)
      const record30 = pageOf('wh.b', 30, b, history)

      const files = backupOf(simplePage('wh', 10), record20, ...(both ? [record30] : []))
      const outcome = await inFolder(async dir => {
        await writeBackup(dir, files)
        return readLegacyBackup(dir).catch(thrown => thrown as Error)
      })

      if (outcome instanceof Error) {
        counts.refused++
        if (!isRm3Error(outcome, 'SOURCE_DAMAGED')) throw outcome
      } else {
        counts.whole++
        checkPlan(outcome)
        checkKept(outcome, history)
        checkHead(outcome, record20)
      }
    })

    await fc.assert(property, { numRuns: RUNS, seed: 20161022 })

    assert.ok(counts.whole > RUNS / 10, JSON.stringify(counts))
  })
})

/** Every row is an event of its own, or kept whole with another. */
function checkKept(backup: LegacyBackup, rows: readonly Loose[]): void {
  const text = JSON.stringify(backup.events)
  const listed = new Set(backup.events.flatMap(({ events }) => events.map(event => event.eventId)))
  for (const { revisionId, path } of rows) {
    if (JSON.stringify(path) !== JSON.stringify({ path: ['wh', 'a'] })) continue
    const isThere = listed.has(String(revisionId)) || text.includes(`"revisionId":"${revisionId}"`)
    assert.ok(isThere, `${revisionId} is lost`)
  }
}

/** The page ends live, where its record is, as its record is. */
function checkHead(backup: LegacyBackup, page: Loose): void {
  const events = backup.events.flatMap(append => append.events)
  const own = events.filter(({ stream }) => stream === page['entityId'])
  let path = ''
  let title: unknown = null
  for (const { type, data } of own) {
    if (type === 'PageCreated' || type === 'PageUndeleted') path = data.path
    if (type === 'PageMoved') path = data.to
    if (type === 'PageDeleted') path = ''
    const source = type === 'PagePublished' ? own[data.revision - 1]?.data : data
    const isDraft = 'draft' in data && data.draft
    if (source && 'document' in source && !isDraft) title = source.document.summary['title']
  }

  assert.is(path, page['path'])
  assert.is(title, (page['summary'] as Loose)['title'])
}

/** A record whose head is one of the rows, or a revision of its own. */
function pageOf(path: string, entity: number, head: number, history: Loose[]): Loose {
  const made = row({ path, entity, revision: 300 + entity, minute: 120 })
  const own = history.filter(one => JSON.stringify(one['path']) === JSON.stringify(made['path']))
  const named = history[head]
  const isPage = named?.['entityId'] === made['entityId']
  return record(path, isPage ? { ...made, revisionId: named?.['revisionId'] } : made, own)
}
