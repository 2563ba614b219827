import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { openBlobStore } from '../../src/blobs/store.ts'
import type { Eraser } from '../../src/commands/erase.ts'
import type { Document } from '../../src/content/document.ts'
import type { NewEvent } from '../../src/content/events.ts'
import type { Wanted } from '../../src/content/plan-erasure.ts'
import type { Entity } from '../../src/content/state.ts'
import { eraserOf } from '../../src/open-eraser.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { type Action, anyAction, decided } from '../content/any-history.ts'
import { TEST_SITE, type TestSite } from './database.ts'

/** Something done to a page, or something of it erased: all, or up to three of its events. */
export type Doing = Action | { type: 'erase'; whole: boolean; picks: readonly number[] }

const anyErasure: fc.Arbitrary<Doing> = fc.record({
  type: fc.constant('erase' as const),
  whole: fc.integer({ min: 0, max: 9 }).map(n => n === 0),
  picks: fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }),
})

/** So many things that are done to one page. */
export const anyDoings = (length: number): fc.Arbitrary<Doing[]> =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: anyAction as fc.Arbitrary<Doing> },
      { weight: 1, arbitrary: anyErasure },
    ),
    { minLength: length, maxLength: length, size: 'max' },
  )

/** What an erasure is to erase of a stream with so many events. */
export function wantedOf(
  { whole, picks }: Extract<Doing, { type: 'erase' }>,
  events: number,
): Wanted {
  return whole ? 'whole' : new Set(picks.map(pick => (pick % events) + 1))
}

/** What an action comes to, where what it takes up is not erased; [] otherwise. */
export function doable(
  action: Action,
  subject: {
    id: string
    entity: Entity | null
    documents: ReadonlyMap<number, Document>
    eventIdOf: (revision: number) => string
  },
): NewEvent[] {
  const { entity, documents } = subject
  if (entity === null && !('text' in action)) return []
  if ('pick' in action && action.type !== 'revise' && documents.size === 0) return []
  const made =
    entity === null && 'text' in action ? ({ ...action, type: 'create' } as Action) : action
  return decided({ ...subject, path: 'wh.a' }, made)
}

/** The words that only some documents have, wherever they are in a text. */
export function wordsIn(text: string): Set<string> {
  return new Set(text.match(/only\d+/g) ?? [])
}

/** What erases on a site, with stores of its own for files. Call `remove` at the end. */
export async function testEraser(open: TestSite): Promise<{ eraser: Eraser; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'rm3-erase-'))
  const stores = {
    public: await openBlobStore(join(folder, 'public')),
    private: await openBlobStore(join(folder, 'private')),
  }
  const opened = { ...open, projections: await discoverProjections() }
  const eraser = eraserOf(opened, { url: open.url, site: TEST_SITE }, stores)
  return { eraser, remove: () => rmSync(folder, { recursive: true }) }
}
