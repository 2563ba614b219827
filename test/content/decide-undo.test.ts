import fc from 'fast-check'
import { canonicalJson, type Json } from '../../src/codec/json.ts'
import { attachBlob, detachBlob } from '../../src/content/decide-blob.ts'
import { decidePage, type PageCommand } from '../../src/content/decide-page.ts'
import { decideUndo } from '../../src/content/decide-undo.ts'
import { documentOf as contentOf, type Document } from '../../src/content/document.ts'
import type { NewEvent, SiteEvent } from '../../src/content/events.ts'
import { evolve } from '../../src/content/evolve.ts'
import { isUnder } from '../../src/content/path.ts'
import type { Entity } from '../../src/content/state.ts'
import { assertSame } from '../codec/any-json.ts'
import { assert, suite } from '../harness.ts'
import { anyActions, historyOf, recorded } from './any-history.ts'

const ID = '00000000-0000-4000-8000-00000000000a'
const base = { proto: 'base', hidden: false, data: {}, tags: {} }

suite('decideUndo', test => {
  test('brings a document back that keeps to no rules, as an old import has it', () => {
    const old = documentOf('old', { tags: { about: [{ '@id': 't' }] } })
    const [first, second] = states([create(old), revise(documentOf('spam'))])
    const { commands, isUnfit } = decideUndo(second, [{ before: first, after: second }])

    assert.is(isUnfit, false)
    assert.equal(commands, [{ type: 'RevisePage', document: old, base: 2, restored: 1 }])
  })

  test('says when the parts do not make a document', () => {
    const untitled = documentOf('', { summary: { abstract: 'a' } })
    const [first, second, third] = states([
      create(untitled),
      revise(documentOf('spam', { summary: { title: 'spam', abstract: 'a' } })),
      revise(documentOf('spam', { summary: { title: 'spam', abstract: 'b' } })),
    ])

    assert.is(decideUndo(third, [{ before: first, after: second }]).isUnfit, true)
    assert.is(decideUndo(second, [{ before: first, after: second }]).isUnfit, false)
  })

  test('gives readers back what they saw before, whatever was done since', () => {
    fc.assert(
      fc.property(anyActions(12), fc.nat(), (actions, seed) => {
        const { states: made } = historyOf(actions)
        const now = made.at(-1) ?? null
        if (now === null) return
        const before = made[(seed % made.length) - 1] ?? null
        const undoing = decideUndo(now, [{ before, after: now }])
        const isInside = (command: PageCommand) =>
          command.type === 'MovePage' && isUnder(command.to, now.path)
        if (undoing.commands.some(isInside)) return // it is refused, and left
        let entity: Entity = now
        const record = (events: readonly NewEvent[]) => {
          for (const event of events)
            entity = evolve(entity, recorded(event, entity.revision + 1)) as Entity
        }
        for (const command of undoing.commands) record(decidePage(entity, command))
        for (const name of undoing.detach) record(detachBlob(entity, name))
        for (const file of undoing.attach) record(attachBlob(entity, file))

        assert.equal(undoing.conflicts, [])
        assertSame(seen(entity), seen(before))
      }),
      { numRuns: 500 },
    )
  })

  test('has nothing to do where it was done already', () => {
    const [first, second, third] = states([
      create(documentOf('a')),
      revise(documentOf('spam')),
      revise(documentOf('a')),
    ])

    assert.equal(decideUndo(third, [{ before: first, after: second }]).commands, [])
  })
})

function documentOf(title: string, more: object = {}): Document {
  return { ...base, summary: { title, abstract: '' }, ...more } as Document
}

function create(document: Document): PageCommand {
  return { type: 'CreatePage', id: ID, path: 'wh.a', document }
}

function revise(document: Document, draft = false): PageCommand {
  return { type: 'RevisePage', document, base: 1, draft }
}

/** What readers see of a page. */
function seen(entity: Entity | null): unknown {
  if (entity?.state !== 'live' || entity.live === null) return null
  const files = Object.entries(entity.blobs).map(([name, { since: _, ...blob }]) => [name, blob])
  const document = canonicalJson(contentOf(entity.live.document) as unknown as Json)
  return { path: entity.path, document, files: Object.fromEntries(files) }
}

/** What each of the commands makes of a page. */
function states(commands: readonly PageCommand[]): [Entity, Entity, Entity] {
  let entity: Entity | null = null
  const made: Entity[] = []
  for (const command of commands) {
    for (const event of decidePage(entity, command)) {
      const revision: number = (entity?.revision ?? 0) + 1
      const place = { revision, position: revision, eventId: `e${revision}`, note: null }
      const recorded = { ...event, ...place, actor: 'root', at: '2026-01-01T00:00:00.000Z' }
      entity = evolve(entity, recorded as SiteEvent) as Entity
    }
    made.push(entity as Entity)
  }
  return made as [Entity, Entity, Entity]
}
