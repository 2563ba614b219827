import { createToken } from '../../src/commands/accounts.ts'
import { attachBlob } from '../../src/commands/blobs.ts'
import { type Author, type Change, change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage, revisePage } from '../../src/commands/pages.ts'
import { rehearse } from '../../src/commands/rehearse.ts'
import { type Undone, type UndoSelector, undoSelected } from '../../src/commands/undo.ts'
import { type Document, documentOf } from '../../src/content/document.ts'
import type { Entity } from '../../src/content/state.ts'
import { readHead } from '../../src/log/read.ts'
import { FOREVER } from '../../src/projector/define.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'
import { grant, makeUser, viewerOf } from '../support/users.ts'

let open: TestSite
let eve: Entity
let asEve: Author
/** Where the log was when the test began. */
let began = 0

suite('undo by selector', test => {
  test.before(async () => {
    open = await testSite()
    eve = await makeUser(open.site, 'eve', ['editor'])
    await grant(open.site, 'nobody', ['view', 'history'], '*')
    await grant(open.site, 'editor', ['post.edit', 'post.delete'], '*')
    asEve = { viewer: await viewerOf(open.site, eve.id), door: 'api' }
  })
  test.after(() => open.close())
  /** A test of what is done from then on. */
  const anew = (title: string, body: () => Promise<void>) =>
    test(title, async () => {
      began = (await readHead(open.site.db)).position
      await body()
    })

  anew('gives back what was edited, moved, deleted and made, and undoes itself', async () => {
    for (const name of ['a', 'b', 'c']) await make(`wh.one.${name}`, { title: name })
    await edit('wh.one.a', { title: 'spam' }, asEve)
    await edit('wh.one.a', { title: 'more spam' }, asEve)
    await change(open.site, asEve, it => movePage(it, 'wh.one.b', 'wh.hidden'))
    await change(open.site, asEve, it => deletePage(it, 'wh.one.c'))
    await make('wh.one.ad', { title: 'buy' }, asEve)
    const before = await standing()

    const rehearsed = await rehearse(open.site, AS_ROOT, it => undoSelected(it, of(eve)))
    assert.equal(await standing(), before)
    const undone = await undo(of(eve), 'u1')
    assert.equal(undone, rehearsed.result)
    assert.equal(
      undone.pages.map(({ path, to, steps, conflicts }) => [path, to, steps, conflicts]),
      [
        ['wh.one.ad', null, ['delete'], []],
        ['wh.one.c', null, ['undelete'], []],
        ['wh.hidden', 'wh.one.b', ['move'], []],
        ['wh.one.a', null, ['revise'], []],
      ],
    )
    const names = { 'wh.one.a': 'a', 'wh.one.b': 'b', 'wh.one.c': 'c' }
    assert.equal(await standing(), names)
    assert.equal((await undo(of(eve), 'u2')).pages, [])

    await undo({ ...of(null), undo: 'u1' }, 'u3')
    assert.equal(await standing(), before)
  })

  anew('keeps what others changed since, and lists what both changed', async () => {
    await make('wh.two.a', { title: 'a', abstract: 'old' })
    await make('wh.two.b', { title: 'b' })
    await edit('wh.two.a', { title: 'spam', abstract: 'spam' }, asEve)
    await edit('wh.two.b', { title: 'spam' }, asEve)
    await edit('wh.two.a', { abstract: 'mended', keywords: 'new' })
    await make('wh.two.eves', { title: 'mine' }, asEve)
    await edit('wh.two.eves', { title: 'taken over' })

    const { pages } = await undo(of(eve))
    assert.equal(
      pages.map(({ path, steps, conflicts }) => [path, steps, conflicts.map(it => it.path)]),
      [
        ['wh.two.eves', [], ['/document']],
        ['wh.two.b', ['revise'], []],
        ['wh.two.a', ['revise'], ['/document/summary/abstract']],
      ],
    )
    const [, , { conflicts }] = pages as [unknown, unknown, Undone['pages'][number]]
    const { path: _, ...sides } = conflicts[0] as Undone['pages'][number]['conflicts'][number]
    assert.equal(sides, { base: 'spam', one: 'mended', other: 'old' })
    assert.equal(await summaryAt('wh.two.a'), { title: 'a', abstract: 'mended', keywords: 'new' })
    assert.is((await summaryAt('wh.two.eves'))?.['title'], 'taken over')
  })

  anew('takes turns of two authors apart', async () => {
    await make('wh.turns', { title: 't', one: '1', two: '2' })
    await edit('wh.turns', { one: 'eve' }, asEve)
    await edit('wh.turns', { two: 'root' })
    await edit('wh.turns', { title: 'eve' }, asEve)
    await edit('wh.turns', { three: 'root' })

    await undo(of(eve))
    const summary = { title: 't', abstract: '', one: '1', two: 'root', three: 'root' }
    assert.equal(await summaryAt('wh.turns'), summary)
  })

  anew('knows a revision that comes back as it was', async () => {
    const { id } = await make('wh.back', { title: 'x' })
    await edit('wh.back', { title: 'spam' }, asEve)
    const marked = { ...AS_ROOT, meta: { undo: 'u' } }
    const { events } = await change(open.site, marked, it => undoSelected(it, of(eve)))

    assert.is(events[0]?.stream, id)
    assert.equal(member(events[0]?.data, 'restored'), 1)
  })

  anew('is bounded by times and paths, before and after a move', async () => {
    await make('wh.bound.in', { title: 'in' })
    await make('wh.bound.moved', { title: 'moved' })
    await make('wh.other', { title: 'other' })
    await edit('wh.bound.in', { title: 'first' }, asEve)
    const after = (await readHead(open.site.db)).position
    await edit('wh.bound.in', { title: 'second' }, asEve)
    await change(open.site, asEve, it => movePage(it, 'wh.bound.moved', 'wh.away'))
    const upTo = (await readHead(open.site.db)).position
    await edit('wh.other', { title: 'spam' }, asEve)
    await edit('wh.bound.in', { lead: 'later' }, asEve)

    const { pages } = await undo({ ...of(eve), after, upTo, under: 'wh.bound' })
    assert.equal(
      pages.map(({ path }) => path),
      ['wh.away', 'wh.bound.in'],
    )
    assert.equal(await summaryAt('wh.bound.in'), { title: 'first', abstract: '', lead: 'later' })
    assert.is((await summaryAt('wh.other'))?.['title'], 'spam')
    await undo(of(eve))
  })

  anew('leaves what stands in the way, and says what', async () => {
    await make('wh.place', { title: 'old' })
    await change(open.site, asEve, it => movePage(it, 'wh.place', 'wh.elsewhere'))
    await make('wh.place', { title: 'new' })

    const { pages, left } = await undo(of(eve))
    assert.equal(pages, [])
    assert.equal(
      left.map(({ path, why }) => [path, why]),
      [['wh.elsewhere', 'PATH_TAKEN']],
    )
  })

  anew('gives files back', async () => {
    const file = (sha: string) =>
      ({
        sha256: sha.repeat(64),
        sizeBytes: 3,
        mediaType: 'text/plain',
        category: 'public',
      }) as const
    await make('wh.files', { title: 'files' })
    const put = (name: string, sha: string, author: Author) =>
      change(open.site, author, it => attachBlob(it, 'wh.files', { name, ...file(sha) }))
    await put('kept', 'a', AS_ROOT)
    await put('kept', 'b', asEve)
    await put('spam', 'c', asEve)
    await put('others', 'd', AS_ROOT)

    const { pages } = await undo(of(eve))
    assert.equal(pages[0]?.steps, ['files'])
    const { blobs } = await entityAt('wh.files')
    assert.equal(Object.keys(blobs).sort(), ['kept', 'others'])
    assert.is(blobs['kept']?.sha256, 'a'.repeat(64))
  })

  anew('tells nobody of pages he may not see, and changes none he may not edit', async () => {
    const reader = await makeUser(open.site, 'reader', ['reader'])
    await grant(open.site, 'reader', ['post.edit'], 'wh.mine.*')
    await make('wh.mine', { title: 'mine' })
    await make('wh.theirs', { title: 'theirs' })
    await edit('wh.mine', { title: 'spam' }, asEve)
    await edit('wh.theirs', { title: 'spam' }, asEve)
    const asReader = { viewer: await viewerOf(open.site, reader.id), door: 'api' } as const
    const blind = {
      ...asReader.viewer,
      may: (right: string, path: string) =>
        !path.startsWith('wh.theirs') && asReader.viewer.may(right, path),
    }

    const seen = await rehearse(open.site, asReader, it => undoSelected(it, of(eve)))
    assert.equal(
      seen.result.left.map(({ path, why }) => [path, why]),
      [['wh.theirs', 'PERMISSION_DENIED']],
    )
    const hidden = await change(open.site, { ...asReader, viewer: blind }, it =>
      undoSelected(it, of(eve)),
    )
    assert.equal(hidden.result.left, [])
    assert.is((await summaryAt('wh.mine'))?.['title'], 'mine')
    assert.is((await summaryAt('wh.theirs'))?.['title'], 'spam')
    await undo(of(eve))
  })

  anew('goes by a token, which is one’s own, and by an import', async () => {
    const { id: token } = await createToken(open.site, AS_ROOT, { userId: eve.id })
    await make('wh.by', { title: 'by', abstract: '' })
    await edit('wh.by', { title: 'token' }, { ...asEve, meta: { token } })
    await edit('wh.by', { lead: 'import' }, { ...AS_ROOT, meta: { import: { from: 'git' } } })
    const other = await makeUser(open.site, 'other')
    const asOther: Author = { viewer: await viewerOf(open.site, other.id), door: 'api' }

    const refused = rejection(
      change(open.site, asOther, it => undoSelected(it, { ...of(null), token })),
    )
    assert.is(((await refused) as { code: string }).code, 'TOKEN_NOT_FOUND')
    await change(open.site, asEve, it => undoSelected(it, { ...of(null), token }))
    assert.equal(await summaryAt('wh.by'), { title: 'by', abstract: '', lead: 'import' })
    await undo({ ...of(null), importedFrom: 'git' })
    assert.equal(await summaryAt('wh.by'), { title: 'by', abstract: '' })
  })

  anew('asks whose work it is', async () => {
    const refused = (await rejection(undo(of(null)))) as { code: string }
    assert.is(refused.code, 'REQUEST_INVALID')
  })

  function of(user: Entity | null): UndoSelector {
    const none = {
      token: null,
      importId: null,
      importedFrom: null,
      undo: null,
      under: null,
      keeps: null,
    }
    return { ...none, actor: user?.id ?? null, after: began, upTo: FOREVER - 1 }
  }

  async function undo(selector: UndoSelector, id = 'undo'): Promise<Undone> {
    const marked = { ...AS_ROOT, meta: { undo: id } }
    return (await change(open.site, marked, it => undoSelected(it, selector))).result
  }

  async function make(path: string, summary: object, author = AS_ROOT): Promise<Entity> {
    const document = { ...page, summary: { title: path, abstract: '', ...summary } }
    return (await change(open.site, author, it => createPage(it, { path, document }))).result
  }

  async function edit(
    path: string,
    summary: object,
    author = AS_ROOT,
    draft = false,
  ): Promise<void> {
    const by = (document: Document) => ({
      ...document,
      summary: { ...document.summary, ...summary },
    })
    await change(open.site, author, async (it: Change) => {
      const { sinceId } = await entityIn(it, path)
      return revisePage(it, path, { ifMatch: sinceId ?? '', edit: by, draft })
    })
  }

  async function entityIn(it: Change, path: string): Promise<Entity> {
    const id = (await it.liveIdAt(path)) ?? ''
    return (await it.entity(id)) as Entity
  }

  async function entityAt(path: string): Promise<Entity> {
    return (await rehearse(open.site, AS_ROOT, it => entityIn(it, path))).result
  }

  async function summaryAt(path: string): Promise<Document['summary'] | null> {
    const { live } = await entityAt(path)
    return live === null ? null : documentOf(live.document).summary
  }

  /** Titles by path, of what was made in this test. */
  async function standing(): Promise<Record<string, string>> {
    const rows = await open.site.db.rows<{ path: string; title: string }>(
      `select path, title from pages where path like 'wh.one.%' or path = 'wh.hidden' order by path`,
    )
    return Object.fromEntries(rows.map(({ path, title }) => [path, title]))
  }
})

function member(data: unknown, name: string): unknown {
  return (data as Record<string, unknown> | undefined)?.[name]
}

const page = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
