import { entryText, type RevisionEntry } from '../../src/queries/revision-entry.ts'
import { assert, suite } from '../harness.ts'

const ENTRY: RevisionEntry = {
  revisionId: '01a2147e-e59d-7c13-a7a9-af2cbebe632c',
  revision: 7,
  position: 12,
  type: 'PageRevised',
  at: '2026-11-25T20:56:30.365Z',
  actor: 'root',
  actorName: null,
  actorPath: null,
  door: null,
  note: null,
  draft: false,
  erased: false,
}

suite('entries of revisions', test => {
  test('are the JSON that they would be anyway', () => {
    const note = 'say "\\" \n\u2028 😀'
    const full = { ...ENTRY, actorName: 'o"ne', actorPath: 'wh.users.one', door: 'a"pi', note }

    assert.is(entryText(ENTRY), JSON.stringify(ENTRY))
    assert.is(entryText(full), JSON.stringify(full))
  })
})
