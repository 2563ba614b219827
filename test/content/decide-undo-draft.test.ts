import fc from 'fast-check'
import { attachBlob, detachBlob } from '../../src/content/decide-blob.ts'
import { decidePage, type PageCommand } from '../../src/content/decide-page.ts'
import type { Undoing } from '../../src/content/decide-undo.ts'
import { decideUndoDraft } from '../../src/content/decide-undo-draft.ts'
import { type Document, documentOf } from '../../src/content/document.ts'
import type { NewEvent } from '../../src/content/events.ts'
import { evolve } from '../../src/content/evolve.ts'
import { isUnder } from '../../src/content/path.ts'
import type { Entity } from '../../src/content/state.ts'
import { assert, suite } from '../harness.ts'
import { anyActions, historyOf, recorded } from './any-history.ts'

const ID = '00000000-0000-4000-8000-00000000000a'
const base = { proto: 'base', hidden: false, data: {}, tags: {} }

suite('decideUndoDraft', test => {
  test('gives back the draft from before, and where there was none says what is live', () => {
    const [live, mine, theirs] = states([create('live'), draft('mine'), draft('theirs')])

    const second = decideUndoDraft(theirs, [{ before: mine, after: theirs }])
    const both = decideUndoDraft(theirs, [{ before: live, after: theirs }])

    assert.equal(second?.commands, [
      { type: 'RevisePage', document: titled('mine'), base: 3, draft: true, restored: 2 },
    ])
    assert.equal(both?.commands, [
      { type: 'RevisePage', document: titled('live'), base: 3, draft: true, restored: 1 },
    ])
  })

  test('keeps what others drafted since, by words', () => {
    const [live, theirs, mine] = states([
      create('live', 'old'),
      draft('spam', 'old'),
      draft('spam', 'new'),
    ])

    const undoing = decideUndoDraft(mine, [{ before: live, after: theirs }])
    const conflicting = decideUndoDraft(
      states([create('live'), draft('spam'), draft('mended')])[2],
      [{ before: live, after: theirs }],
    )

    assert.equal(
      undoing?.commands.map(command => 'document' in command && command.document.summary),
      [{ title: 'live', abstract: 'new' }],
    )
    assert.equal(
      conflicting?.conflicts.map(({ path }) => path),
      ['/draft/document/summary/title'],
    )
  })

  test('deletes a page that is all draft, and leaves one that others put live or drafted on', () => {
    const [made] = states([{ ...create('a'), draft: true }])
    const [, shown] = states([
      { ...create('a'), draft: true },
      { type: 'PublishPage', revision: 1, revisionId: 'e1', document: titled('a') },
    ])
    const [, drafted] = states([{ ...create('a'), draft: true }, draft('b')])
    const spans = [{ before: null, after: made }]

    assert.equal(decideUndoDraft(made, spans)?.commands, [{ type: 'DeletePage' }])
    assert.is(decideUndoDraft(shown, spans), null)
    assert.equal(
      [decideUndoDraft(drafted, spans)].map(it => [it?.commands, it?.conflicts[0]?.path]),
      [[[], '/draft/document']],
    )
  })

  test('has nothing to do for what was put live or saved over since', () => {
    const [live, mine, over] = states([create('live'), draft('mine'), revise('over')])

    assert.is(decideUndoDraft(over, [{ before: live, after: mine }]), null)
    assert.is(decideUndoDraft(live, [{ before: null, after: live }]), null)
  })

  test('gives editors back what they saw before, whatever was drafted, and readers see no difference', () => {
    fc.assert(
      fc.property(anyActions(12), fc.nat(), (actions, seed) => {
        const { states: made } = historyOf(actions)
        const now = made.at(-1) ?? null
        const before = made[(seed % (made.length + 1)) - 1] ?? null
        if (now === null || !isDraftingAlone(before, now)) return
        const undoing = decideUndoDraft(now, [{ before, after: now }])
        const isInside = (command: PageCommand) =>
          command.type === 'MovePage' && isUnder(command.to, now.path)
        if (undoing === null || undoing.commands.some(isInside)) return

        const after = carriedOut(now, undoing)

        assert.equal(undoing.conflicts, [])
        assert.is(after.sinceId, now.sinceId)
        assert.equal(drafted(after), drafted(before) ?? [])
      }),
      { numRuns: 500 },
    )
  })
})

/** Whether between the two states readers saw no change. */
function isDraftingAlone(before: Entity | null, now: Entity): boolean {
  return (before?.sinceId ?? null) === now.sinceId && before?.state !== 'deleted'
}

/** What editors see; [] when it is not there. */
function drafted(entity: Entity | null): unknown {
  if (entity === null || entity.state === 'deleted') return []
  const files = Object.entries(entity.blobs).map(([name, { sha256 }]) => [name, sha256])
  const ofDraft = entity.live === null ? [entity.path, files.sort()] : []
  return [documentOf(entity.tip), ...ofDraft]
}

function carriedOut(now: Entity, { commands, attach, detach }: Undoing): Entity {
  let entity = now
  const record = (events: readonly NewEvent[]) => {
    for (const event of events)
      entity = evolve(entity, recorded(event, entity.revision + 1)) as Entity
  }
  for (const command of commands) record(decidePage(entity, command))
  for (const name of detach) record(detachBlob(entity, name))
  for (const file of attach) record(attachBlob(entity, file))
  return entity
}

function titled(title: string, abstract = ''): Document {
  return { ...base, summary: { title, abstract } }
}

function create(title: string, abstract = ''): PageCommand & { type: 'CreatePage' } {
  return { type: 'CreatePage', id: ID, path: 'wh.a', document: titled(title, abstract) }
}

function revise(title: string, abstract = ''): PageCommand & { type: 'RevisePage' } {
  return { type: 'RevisePage', document: titled(title, abstract), base: 1 }
}

function draft(title: string, abstract = ''): PageCommand {
  return { ...revise(title, abstract), draft: true }
}

/** What each of the commands makes of a page. */
function states(commands: readonly PageCommand[]): [Entity, Entity, Entity] {
  let entity: Entity | null = null
  const made: Entity[] = []
  for (const command of commands) {
    for (const event of decidePage(entity, command)) {
      entity = evolve(
        entity,
        recorded(event, ((entity as Entity | null)?.revision ?? 0) + 1),
      ) as Entity
    }
    made.push(entity as Entity)
  }
  return made as [Entity, Entity, Entity]
}
