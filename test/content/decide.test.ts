import { attachBlob } from '../../src/content/decide-blob.ts'
import { decidePage, type PageCommand } from '../../src/content/decide-page.ts'
import { evolve } from '../../src/content/evolve.ts'
import type { Entity } from '../../src/content/state.ts'
import type { Rm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { type Action, documentOfText, ENTITY, historyOf, recorded } from './any-history.ts'

const text = (seed: number) => ({ seed, lines: 3, tags: [], proto: 'base' })
const created = (draft: boolean): Action => ({ type: 'create', draft, text: text(1) })
const revised = (seed: number, draft: boolean): Action => ({
  type: 'revise',
  draft,
  minor: false,
  pick: 0,
  text: text(seed),
})

suite('decide', test => {
  test('saving what is live changes nothing, also when a newer draft waits', () => {
    const entity = after([created(false), revised(2, true)])

    const document = documentOfText(text(1))
    assert.equal(decidePage(entity, { type: 'RevisePage', document, base: 1 }), [])
  })

  test('saving the newest draft live is a change', () => {
    const entity = after([created(false), revised(2, true)])

    const document = documentOfText(text(2))
    const [event] = decidePage(entity, { type: 'RevisePage', document, base: 1 })
    assert.is(event?.type, 'PageRevised')
  })

  test('a draft on an older base can be published after further live edits', () => {
    const actions: Action[] = [created(false), revised(2, true), revised(3, false)]
    const { live, tipRevision } = after([...actions, { type: 'publish', pick: 1 }])

    assert.is(live?.revision, 2)
    assert.is(tipRevision, 2)
    assert.match(live?.revisionId ?? '', /2$/)
  })

  test('a revision that is live is not published again', () => {
    const { revision } = after([created(false), { type: 'publish', pick: 0 }])

    assert.is(revision, 1)
  })

  test('a draft that was deleted and brought back is a draft again, and readers never saw it', () => {
    const deleted = after([created(true), { type: 'delete' }])
    const back = after([created(true), { type: 'delete' }, { type: 'undelete', to: 'wh.b' }])

    assert.is(deleted.since, 0)
    assert.is(deleted.state, 'deleted')
    assert.is(back.state, 'draft')
    assert.is(back.path, 'wh.b')
    assert.is(back.since, 0)
  })

  test('a deleted page can only be brought back', () => {
    const entity = after([created(false), { type: 'delete' }])
    const document = documentOfText(text(1))
    for (const command of [
      { type: 'RevisePage', document, base: 1 },
      { type: 'PublishPage', document, revision: 1, revisionId: ENTITY },
      { type: 'MovePage', to: 'wh.x' },
      { type: 'DeletePage' },
    ] as PageCommand[]) {
      assert.is(
        codeOf(() => decidePage(entity, command)),
        'PAGE_GONE',
      )
    }
    assert.is(
      codeOf(() => attachBlob(entity, blobNamed('a'))),
      'PAGE_GONE',
    )
  })

  test('a page cannot go below itself, and a live one cannot be undeleted', () => {
    const entity = after([created(false)])

    assert.is(
      codeOf(() => decidePage(entity, { type: 'MovePage', to: 'wh.a.b' })),
      'MOVE_INTO_ITSELF',
    )
    assert.equal(decidePage(entity, { type: 'MovePage', to: 'wh.a' }), [])
    const undelete = { type: 'UndeletePage', path: 'wh.a' } as const
    assert.is(
      codeOf(() => decidePage(entity, undelete)),
      'PAGE_NOT_DELETED',
    )
  })

  test('says nothing of where an entity is when its id is taken', () => {
    const entity = after([created(false)])
    const document = documentOfText(text(1))
    try {
      decidePage(entity, { type: 'CreatePage', id: ENTITY, path: 'wh.x', document })
      assert.unreachable()
    } catch (thrown) {
      assert.is((thrown as Rm3Error).code, 'PATH_TAKEN')
      assert.not.match(JSON.stringify([(thrown as Error).message, thrown]), /wh\.a/)
    }
  })

  test('a redirect leads into the site or to http(s), and fits into a header', () => {
    const entity = after([created(false)])
    for (const good of ['/a/b/', '/', 'https://example.org', 'http://example.org:8080/x?y#z']) {
      assert.is(decidePage(entity, { type: 'DeletePage', redirect: good }).length, 1)
    }
    const bad = [
      '',
      'a',
      '//x.org',
      '/\\x.org',
      'javascript:x',
      'https://u@x.org',
      'https://',
      '/a b',
    ]
    for (const redirect of [
      ...bad,
      '/a\u0001',
      '/a\r\nb',
      `/${'a'.repeat(2000)}`,
      'http://x:99999/',
      '/\ud800',
    ]) {
      const code = codeOf(() => decidePage(entity, { type: 'DeletePage', redirect }))
      assert.is(code, 'REDIRECT_INVALID', JSON.stringify(redirect))
    }
  })

  test('the time a page was made is the one an import gives with any of its revisions', () => {
    const made = '2001-01-01T00:00:00.000Z'
    const before = after([created(false), revised(2, true)])
    const document = documentOfText(text(9))
    for (const command of [
      { type: 'RevisePage', document, base: 1, created: made },
      { type: 'PublishPage', document, revision: 2, revisionId: ENTITY, created: made },
    ] as PageCommand[]) {
      const [event] = decidePage(before, command)
      if (event === undefined) throw new Error('nothing happened')
      assert.is((evolve(before, recorded(event, 3)) as Entity).created, made)
    }
  })

  test('names of files that could be a path, a trap or unseen are refused', () => {
    const entity = after([created(false)])
    for (const name of [
      '',
      '.',
      '..',
      '__proto__',
      'a/b',
      'a\\b',
      'a\0',
      'a\n',
      ' a',
      'a\u202eb',
      'a'.repeat(256),
      'u\u0308',
    ]) {
      assert.is(
        codeOf(() => attachBlob(entity, blobNamed(name))),
        'REQUEST_INVALID',
        name,
      )
    }
    assert.is(attachBlob(entity, blobNamed('constructor')).length, 1)
  })
})

function after(actions: readonly Action[]): Entity {
  const state = historyOf(actions).states.at(-1)
  if (state === undefined) throw new Error('nothing happened')
  return state
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'nothing thrown'
  } catch (thrown) {
    return (thrown as Rm3Error).code
  }
}

function blobNamed(name: string) {
  const category = 'public' as const
  return { name, sha256: 'a'.repeat(64), sizeBytes: 1, mediaType: 'image/png', category }
}
