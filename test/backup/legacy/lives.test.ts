import { assert, suite } from '../../harness.ts'
import {
  addBlob,
  at,
  backupOf,
  DUMPED_AT,
  id,
  type Loose,
  readBack,
  record,
  row,
  rulesOf,
  simplePage,
  streamOf,
  typesOf,
} from './old-backup.ts'

const ROOT = simplePage('wh', 10)

suite('drafts in a legacy backup', test => {
  test('stay drafts when they were not published', async () => {
    const made = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30 })
    const draft = row({
      ...{ path: 'wh.a', entity: 20, revision: 22, minute: 40, evtClass: 'Update', num: 2 },
      ...{ base: 21, final: false, title: 'Draft', more: { workflow: {} } },
    })

    const backup = await readBack(backupOf(ROOT, record('wh.a', made, [made, draft])))

    const events = streamOf(backup, 20)
    assert.equal(typesOf(events), ['PageCreated', 'PageRevised?'])
    assert.is(events[1]?.type === 'PageRevised' && events[1].data.base, 1)
    assert.equal(backup.warnings, [])
    assert.is(backup.counts.drafts, 1)
  })
  test('go live when they were published, with another edit in between', async () => {
    const path = 'wh.a'
    const made = row({ path, entity: 20, revision: 21, minute: 30 })
    const draft = row({
      ...{ path, entity: 20, revision: 22, minute: 40, evtClass: 'Update', num: 2, base: 21 },
      ...{ endMinute: 60, title: 'Draft', actor: 'wh' },
    })
    const edit = row({
      ...{ path, entity: 20, revision: 23, minute: 50, evtClass: 'Update', num: 2, base: 21 },
      title: 'Edit',
    })

    const backup = await readBack(backupOf(ROOT, record(path, draft, [made, draft, edit])))

    const events = streamOf(backup, 20)
    assert.equal(typesOf(events), ['PageCreated', 'PageRevised?', 'PageRevised', 'PagePublished'])
    assert.equal(
      events.map(event => event.at),
      [at(30), at(40), at(50), at(60)],
    )
    const [, revised, edited, published] = events
    assert.is(published?.type === 'PagePublished' && published.data.revision, 2)
    assert.is(revised?.actor, id(10))
    assert.is(published?.actor, 'system')
    assert.is(edited?.type === 'PageRevised' && edited.data.base, 1)
    assert.equal(backup.warnings, [])
  })
  test('of a page that was never public make it a draft', async () => {
    const first = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30, final: false })
    const second = row({
      ...{ path: 'wh.a', entity: 20, revision: 22, minute: 35, num: 2, base: 21, endMinute: 90 },
      title: 'Second',
    })

    const backup = await readBack(backupOf(ROOT, record('wh.a', second, [first, second])))

    assert.equal(typesOf(streamOf(backup, 20)), ['PageCreated?', 'PageRevised?', 'PagePublished'])
    assert.equal(backup.warnings, [])
  })
  test('that an old load put live without saying so are published, with a warning', async () => {
    const made = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30 })
    const draft = row({
      ...{ path: 'wh.a', entity: 20, revision: 22, minute: 40, evtClass: 'Update', num: 2 },
      ...{ base: 21, final: false, title: 'Draft' },
    })

    const backup = await readBack(backupOf(ROOT, record('wh.a', draft, [made, draft])))

    const events = streamOf(backup, 20)
    assert.equal(typesOf(events), ['PageCreated', 'PageRevised?', 'PagePublished'])
    assert.is(events[2]?.type === 'PagePublished' && events[2].data.revision, 2)
    assert.equal(rulesOf(backup), ['head'])
  })
  test('that wait for approval say so', async () => {
    const made = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30 })
    const workflow = { needsReview: true, __machina__: { publish: { state: 'review' } } }
    const held = row({
      ...{ path: 'wh.a', entity: 20, revision: 22, minute: 40, evtClass: 'Update', num: 2 },
      ...{ base: 21, final: false, actor: 'nobody', more: { workflow } },
    })

    const backup = await readBack(backupOf(ROOT, record('wh.a', made, [made, held])))

    const [, draft] = streamOf(backup, 20)
    assert.is(draft?.type === 'PageRevised' && draft.data.review, 'waiting')
    assert.is(draft?.actor, 'nobody')
    assert.equal(draft?.meta.import['workflow'], workflow)
  })
})

suite('lives in a legacy backup', test => {
  test('are told apart when a path was deleted and created anew', async () => {
    const path = 'wh.a'
    const first = row({ path, entity: 20, revision: 21, minute: 30, title: 'First' })
    const gone = row({
      ...{ path, entity: 20, revision: 22, minute: 40, evtClass: 'Delete', num: 2, base: 21 },
      data: { redirect: 'https://example.com/' },
    })
    const second = row({ path, entity: 30, revision: 31, minute: 50, title: 'Second' })

    const backup = await readBack(backupOf(ROOT, record(path, second, [first, second, gone])))

    const [, deleted] = streamOf(backup, 20)
    assert.equal(typesOf(streamOf(backup, 20)), ['PageCreated', 'PageDeleted'])
    assert.equal(deleted?.data, { redirect: 'https://example.com/', number: 2 })
    assert.equal(typesOf(streamOf(backup, 30)), ['PageCreated'])
    assert.equal(backup.warnings, [])
  })
  test('end where the next begins when the backup does not say how', async () => {
    const path = 'wh.a'
    const first = row({ path, entity: 20, revision: 21, minute: 30 })
    const second = row({ path, entity: 30, revision: 31, minute: 50 })

    const backup = await readBack(backupOf(ROOT, record(path, second, [first, second])))

    const [, end] = streamOf(backup, 20)
    assert.equal(typesOf(streamOf(backup, 20)), ['PageCreated', 'PageDeleted'])
    assert.is(end?.at, at(50))
    assert.equal(rulesOf(backup), ['end-unknown'])
  })
  test('follow a page whose old path was taken by another', async () => {
    const made = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30 })
    const moved = row({
      ...{ path: 'wh.a', entity: 20, revision: 22, minute: 40, evtClass: 'Move', num: 2 },
      ...{ base: 21, data: { toPath: 'wh.b', stubEntityId: id(90), stubRevisionId: id(91) } },
    })
    const edit = row({
      ...{ path: 'wh.b', entity: 20, revision: 23, minute: 60, evtClass: 'Update', num: 3 },
      ...{ base: 22, title: 'Edited' },
    })
    const other = row({ path: 'wh.a', entity: 30, revision: 31, minute: 50 })

    const backup = await readBack(
      backupOf(ROOT, record('wh.a', other, [made, other, moved]), record('wh.b', edit, [edit])),
    )

    const events = streamOf(backup, 20)
    assert.equal(typesOf(events), ['PageCreated', 'PageMoved', 'PageRevised'])
    assert.equal(events[1]?.data, { from: 'wh.a', to: 'wh.b', number: 2 })
    assert.is((events[1]?.meta.import['data'] as Loose | undefined)?.['stubEntityId'], id(90))
    assert.is(events[2]?.type === 'PageRevised' && events[2].data.base, 2)
    assert.equal(backup.warnings, [])
  })
  test('begin with a snapshot when a page moved and was edited later', async () => {
    const moveId = '83e61700-f852-11e6-a379-b77189445ee3'
    const edit = row({
      ...{ path: 'wh.b', entity: 20, revision: 23, minute: 800_000, evtClass: 'Update', num: 3 },
      more: { baseRevisionId: moveId },
    })

    const backup = await readBack(backupOf(ROOT, record('wh.b', edit, [edit])))

    const [snapshot, revised] = streamOf(backup, 20)
    assert.is(snapshot?.type, 'PageCreated')
    assert.is(snapshot?.eventId, moveId)
    assert.is(snapshot?.at, '2017-02-21T16:26:36.528Z')
    assert.is(snapshot?.meta.import['synthesised'], 'snapshot')
    assert.is(revised?.type === 'PageRevised' && revised.data.base, 1)
    assert.equal(rulesOf(backup), ['history-starts-late'])
  })
  test('are a snapshot when a page moved and nothing happened since', async () => {
    const head = row({ path: 'wh.b', entity: 20, revision: 22, minute: 30, num: 2 })

    const backup = await readBack(backupOf(ROOT, record('wh.b', head, [])))

    const [snapshot] = streamOf(backup, 20)
    assert.equal(typesOf(streamOf(backup, 20)), ['PageCreated'])
    assert.is(snapshot?.eventId, id(22))
    assert.is(snapshot?.at, at(30))
    assert.is(snapshot?.type === 'PageCreated' && snapshot.data.number, 2)
    assert.ok(backup.losses.some(loss => loss.includes('one page')))
  })
  test('hold what the record says when the history leads elsewhere', async () => {
    const made = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30 })
    const page = record('wh.a', made, [made], { summary: { title: 'By hand', abstract: '' } })

    const backup = await readBack(backupOf(ROOT, page))

    const [, revised] = streamOf(backup, 20)
    assert.equal(typesOf(streamOf(backup, 20)), ['PageCreated', 'PageRevised'])
    assert.is(
      revised && 'document' in revised.data && revised.data.document.summary['title'],
      'By hand',
    )
    assert.equal(rulesOf(backup), ['record-differs'])
  })
  test('take a page back that was deleted and loaded from a dump', async () => {
    const path = 'wh.a'
    const made = row({ path, entity: 20, revision: 21, minute: 30 })
    const gone = row({ path, entity: 20, revision: 22, minute: 40, evtClass: 'Delete', num: 2 })
    const again = { ...made, evtStart: at(50), evtEnd: at(50), evtTouched: at(50) }

    const backup = await readBack(backupOf(ROOT, record(path, made, [made, again, gone])))

    const types = typesOf(streamOf(backup, 20))
    assert.equal(types.slice(0, 4), ['PageCreated', 'PageDeleted', 'PageUndeleted', 'PageRevised'])
    assert.ok(rulesOf(backup).includes('revision-id'))
  })
  test('keep blobs with their revisions, and those of drafts apart', async () => {
    const made = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30 })
    const edit = row({
      ...{ path: 'wh.a', entity: 20, revision: 22, minute: 40, evtClass: 'Update', num: 2 },
      base: 21,
    })
    const draft = row({
      ...{ path: 'wh.a', entity: 20, revision: 23, minute: 50, evtClass: 'Update', num: 3 },
      ...{ base: 22, final: false },
    })
    const files = backupOf(ROOT, record('wh.a', edit, [made, edit, draft]))
    const png = '\u0089PNG\r\n\u001a\n'
    addBlob(files, { path: 'wh.a', name: 'infile.jpg', revision: 21, bytes: 'one' })
    addBlob(files, { path: 'wh.a', name: 'infile.jpg', revision: 22, bytes: 'one' })
    addBlob(files, { path: 'wh.a', name: 'infile.jpg', revision: 23, bytes: 'two' })
    const hidden = { path: 'wh.a', name: 'original', revision: 22, bytes: '', category: 'private' }
    const file = addBlob(files, hidden)
    files.set(file, Buffer.from(png, 'latin1'))

    const backup = await readBack(files)

    const events = streamOf(backup, 20)
    assert.equal(typesOf(events), [
      'PageCreated',
      'BlobAttached',
      'PageRevised',
      'BlobAttached',
      'BlobAttached',
      'PageRevised?',
      'BlobAttached',
      'BlobAttached',
    ])
    const hashes = events.flatMap(({ data }) => ('sha256' in data ? [data.sha256] : []))
    assert.is(hashes[4], hashes[0], 'the live one is put back')
    assert.is.not(hashes[3], hashes[0])
    const last = events[4]
    assert.is(last?.type === 'BlobAttached' && last.data.category, 'private')
    assert.is(last?.type === 'BlobAttached' && last.data.mediaType, 'image/png')
    assert.is(backup.blobs.length, 3)
    assert.equal(backup.warnings, [])
  })
  test('keep the blobs of a draft until its publication', async () => {
    const made = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30, endMinute: 90 })
    const files = backupOf(ROOT, record('wh.a', made, [made]))
    addBlob(files, { path: 'wh.a', name: 'infile.svg', revision: 21, bytes: '<svg/>' })

    const backup = await readBack(files)

    assert.equal(typesOf(streamOf(backup, 20)), ['PageCreated?', 'PagePublished', 'BlobAttached'])
    assert.is(backup.events.at(-1)?.events.length, 2)
  })
  test('keep rows of unknown classes and whatever else rm3 0.x does not write', async () => {
    const made = row({
      ...{ path: 'wh.a', entity: 20, revision: 21, minute: 30 },
      ...{ more: { private: true }, toData: { plugin: { x: 1 } }, data: { extra: [1] } },
    })
    const odd = row({ path: 'wh.a', entity: 20, revision: 22, minute: 40, evtClass: 'Vote' })
    const idle = row({
      ...{ path: 'wh.a', entity: 20, revision: 23, minute: 41, evtClass: 'Delete', final: false },
    })
    const page = record('wh.a', made, [made, odd, idle], { addedByHand: 'x' })

    const backup = await readBack(backupOf(ROOT, page))

    const events = streamOf(backup, 20)
    const kept = events[0]?.meta.import
    assert.equal(typesOf(events), ['PageCreated'])
    assert.equal(kept?.['row'], { private: true })
    assert.equal(kept?.['toData'], { plugin: { x: 1 } })
    assert.equal((kept?.['data'] as Loose | undefined)?.['extra'], [1])
    assert.equal((kept?.['record'] as Loose | undefined)?.['addedByHand'], 'x')
    assert.equal(kept?.['otherRows'], [odd, idle])
    assert.equal(rulesOf(backup), ['unknown-class', 'row-not-executed'])
  })
  test('manage with missing, odd and future times', async () => {
    const none = { evtStart: null, evtEnd: null, evtTouched: null }
    const made = row({ path: 'wh.a', entity: 20, revision: 21, minute: 30, more: none })
    const late = row({
      ...{ path: 'wh.b', entity: 30, revision: 31, minute: 30 },
      more: { evtStart: '9000-01-01', evtEnd: null, evtTouched: '2016-01-01 02:00:00+02' },
    })
    const shifted = row({
      ...{ path: 'wh.c', entity: 40, revision: 41, minute: 30 },
      more: { evtStart: null, evtEnd: null, evtTouched: '2018-01-01T07:00:00.123' },
    })
    delete (late as Loose)['evtStart']

    const backup = await readBack(
      backupOf(ROOT, ...[made, late, shifted].map((r, n) => record(`wh.${'abc'[n]}`, r, [r]))),
    )

    assert.is(streamOf(backup, 20)[0]?.at, at(30))
    assert.is(streamOf(backup, 30)[0]?.at, '2016-01-01T00:00:00.000Z')
    assert.is(streamOf(backup, 40)[0]?.at, '2018-01-01T07:00:00.123Z')
    assert.is(backup.events.at(-1)?.recordedAt, DUMPED_AT)
    assert.equal(rulesOf(backup).sort(), ['time-missing', 'time-without-zone'])
  })
  test('keep hidden pages, geographic tags and every script', async () => {
    const tags = { place: [{ lat: 52.5, lon: 13.4, objClass: 'geo' }] }
    const made = row({
      ...{ path: 'wh.a', entity: 20, revision: 21, minute: 30, title: '日本語 𝄞 é\u0301' },
      toData: { hidden: true, tags },
      more: { note: 'ŭ\n"' },
    })

    const backup = await readBack(backupOf(ROOT, record('wh.a', made, [made])))

    const [event] = streamOf(backup, 20)
    assert.is(event?.note, 'ŭ\n"')
    const document =
      event?.type === 'PageCreated' && 'document' in event.data ? event.data.document : null
    assert.is(document?.hidden, true)
    assert.is(document?.summary['title'], '日本語 𝄞 é\u0301')
    assert.equal(document?.tags, tags)
    assert.equal(backup.warnings, [])
  })
})
