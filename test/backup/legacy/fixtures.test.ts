import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LegacyBackup, readLegacyBackup } from '../../../src/backup/legacy/backup.ts'
import { readLegacyPage } from '../../../src/backup/legacy/page.ts'
import type { PlannedEvent } from '../../../src/backup/legacy/plan.ts'
import { readTemplate } from '../../../src/backup/legacy/template.ts'
import { canonicalJson, type Json } from '../../../src/codec/json.ts'
import type { Document } from '../../../src/content/document.ts'
import { assert, suite } from '../../harness.ts'
import { checkPlan } from './plan-rules.ts'
import { type ExpectedBackup, type ExpectedPage, expectedOf, sharedData } from './shared-data.ts'

const dir = sharedData('fixtures of rm3 0.x')
const RENAMED: Record<string, string> = {
  edit: 'post.edit',
  delete: 'post.delete',
  comment: 'comment.create',
}

if (dir !== null) {
  const expected = expectedOf(dir)
  for (const version of ['v0.2.0', 'v0.3.8'])
    backupSuite(version, join(dir, 'rm3-backups', version), expected.upgradeFixtures[version])
  suite('single-file dumps of rm3 0.x', test => {
    for (const [name, page] of Object.entries(expected.singleFileDumps)) {
      test(`reads ${name}`, () => checkDump(dir, name, page))
    }
  })
  suite('templates of rm3 0.x', test => {
    for (const name of Object.keys(expected.templates)) {
      test(`reads ${name}`, () => checkTemplate(dir, name))
    }
  })
}

function backupSuite(version: string, folder: string, wanted: ExpectedBackup | undefined): void {
  suite(`backup of rm3 ${version}`, test => {
    let backup: LegacyBackup
    let events: PlannedEvent[]
    test.before(async () => {
      backup = await readLegacyBackup(folder)
      events = backup.events.flatMap(append => append.events)
    })
    if (wanted === undefined) throw new Error(`nothing is expected of ${version}`)

    test('has the version, the date and the counts', () => {
      const { totals } = wanted
      const { counts } = backup

      assert.is(backup.version, wanted.catalogDumpVersion)
      assert.is(backup.dumpedAt, wanted.catalogDumpDate)
      assert.is(counts.pages, totals['entities'])
      assert.is(counts.rows, totals['logRows'])
      assert.is(counts.revisions, totals['contentRevisions'])
      assert.is(counts.drafts, totals['drafts'])
      assert.is(counts.blobs, totals['blobs'])
      assert.is(counts.blobBytes, totals['blobBytes'])
      assert.is(counts.credentials, totals['credentials'])
      assert.is(counts.grants, totals['permissionGrants'])
      assert.is(counts.users, 1)
      assert.is(counts.assignments, 1)
    })
    for (const page of wanted.entities)
      test(`has ${page.path} with all its revisions`, () => checkPage(events, page, wanted))
    test('keeps to the rules of plans, and parents come before children', () => {
      const created = events.flatMap(event =>
        event.type === 'PageCreated' ? [event.data.path] : [],
      )

      checkPlan(backup)
      for (const [place, path] of created.entries()) {
        const parent = path.split('.').slice(0, -1).join('.')
        assert.ok(parent === '' || created.indexOf(parent) < place, path)
      }
    })
    test('has the blobs at their revisions', () => checkBlobs(events, backup, wanted))
    test('has the grants, under the names of today', () => {
      const grants = events.flatMap(event =>
        event.type === 'RolePermitted'
          ? [`${event.data.role} ${event.data.permission} ${event.data.pattern}`]
          : [],
      )
      const wantedGrants = wanted.permissionGrants.map(([role, permission, pattern]) =>
        [role, RENAMED[permission] ?? permission, pattern].join(' '),
      )

      assert.equal(grants.sort(), wantedGrants.sort())
    })
    test('has the roles, with who gave them and when', () => {
      const roles = events.filter(event => event.type === 'RoleAssigned')
      const [path = ''] = Object.keys(wanted.conformance.rolesOfUser)
      const user = wanted.entities.find(page => page.path === path)
      const row = user?.history.find(({ evtClass }) => evtClass === 'rm3:assign')

      assert.is(roles.length, 1)
      assert.is(roles[0]?.stream, user?.entityId)
      assert.is(roles[0]?.eventId, row?.revisionId)
      assert.is(roles[0]?.at, row?.evtTouched)
      assert.is(roles[0]?.actor, 'root')
      assert.equal(roles[0]?.data, { role: 'root' })
    })
    test('has the credentials, and no secret in an event', () => {
      const [credential] = backup.credentials
      const [listed] = wanted.credentials
      const user = wanted.entities.find(page => page.path === listed?.userPath)
      const set = events.find(event => event.type === 'CredentialSet')

      assert.is(credential?.user, user?.entityId)
      assert.is(credential?.label, listed?.userId)
      assert.is(credential?.details['iterations'], listed?.iterations)
      assert.is(set?.stream, user?.entityId)
      assert.is(set?.eventId, credential?.eventId)
      const secret = String(credential?.details['hash'])
      assert.not.match(JSON.stringify(backup.events), secret)
    })
    test('is the same at each reading', async () => {
      assert.equal(await readLegacyBackup(folder), backup)
    })
    test('says what it could not contain, and warns of renamed permissions only', () => {
      const rules = new Set(backup.warnings.map(({ rule }) => rule))

      assert.ok(backup.losses.length >= 10)
      assert.equal([...rules], version === 'v0.2.0' ? ['renamed'] : [])
    })
  })
}

function checkPage(events: PlannedEvent[], page: ExpectedPage, wanted: ExpectedBackup): void {
  const rows = page.history.filter(({ entityId }) => entityId !== null)
  const made = events.filter(event => event.stream === page.entityId && 'document' in event.data)
  const [created] = made

  assert.is(made.length, page.revisionCount)
  assert.is(created?.type, 'PageCreated')
  if (created?.type === 'PageCreated') assert.is(created.data.path, page.path)
  for (const [index, row] of rows.entries()) {
    const event = made[index]
    if (event === undefined || !('document' in event.data)) throw new Error('no such revision')
    const actor = wanted.entities.find(({ path }) => path === row.actorPath)?.entityId
    assert.is(event.eventId, row.revisionId)
    assert.is(event.data.number, row.revisionNum)
    assert.is(event.actor, actor ?? row.actorPath)
    assert.is(event.note, row.note)
    assert.is(event.at, row.evtTouched)
    assert.is(event.data.created, row.toDataCreated)
    assert.is(event.data.modified, row.toDataModified)
    assert.is(hashOf(event.data.document), row.toDataContentSha256)
    assert.is(event.meta.import['evtStart'], row.evtStart)
    assert.is(event.meta.import['evtEnd'], row.evtEnd)
    assert.is(event.meta.import['baseRevisionId'] ?? null, row.baseRevisionId)
    if (event.type === 'PageRevised') assert.is(event.data.base, index)
  }
  checkHead(made.at(-1), page)
}

function checkHead(head: PlannedEvent | undefined, page: ExpectedPage): void {
  if (head === undefined || !('document' in head.data)) throw new Error('no head')
  const { document } = head.data
  const tags = Object.entries(document.tags).flatMap(([predPath, objects]) =>
    (objects as { '@id': string; objClass: string }[]).map(object => ({
      ...{ subjPath: page.path, predPath, objClass: object.objClass, objStr: object['@id'] },
    })),
  )

  assert.is(head.eventId, page.headRevisionId)
  assert.is(head.data.number, page.headRevisionNum)
  assert.is(head.at, page.expectedTouched)
  assert.is(head.data.created, page.expectedCreated)
  assert.is(head.data.modified, page.expectedModified)
  assert.is(document.proto, page.proto)
  assert.is(document.hidden, page.hiddenExpected)
  assert.is(document.summary['title'], page.title)
  assert.is(hashOf(document), page.contentSha256)
  assert.equal(tags, page.tags)
}

function checkBlobs(events: PlannedEvent[], backup: LegacyBackup, wanted: ExpectedBackup): void {
  const attached = events.filter(event => event.type === 'BlobAttached')

  assert.is(attached.length, wanted.blobs.length)
  for (const blob of wanted.blobs) {
    const event = attached.find(({ meta }) => meta.import['file'] === blob.file)
    const append = backup.events.find(({ events: group }) => group.some(one => one === event))
    const page = wanted.entities.find(({ path }) => path === blob.entityPath)
    assert.is(event?.data.name, blob.blobPath)
    assert.is(event?.data.sha256, blob.sha256)
    assert.is(event?.data.sizeBytes, blob.bytes)
    assert.is(event?.data.category, blob.category)
    assert.is(event?.stream, page?.entityId)
    assert.is(event?.meta.import['revisionId'], blob.revisionId)
    assert.is(append?.events[0]?.eventId, blob.revisionId)
    assert.ok(backup.blobs.some(({ sha256, file }) => sha256 === blob.sha256 && file === blob.file))
  }
  const types: Record<string, string> = {
    jpg: 'image/jpeg',
    svg: 'image/svg+xml',
    mp3: 'audio/mpeg',
  }
  for (const { mediaType, file } of backup.blobs) assert.is(mediaType, types[file.slice(-3)])
}

function checkDump(data: string, name: string, page: ExpectedPage): void {
  const file = join(data, 'rm3-templates', name.replace('tests/page-fixtures/', 'pages/'))
  const read = readLegacyPage(readFileSync(file), { file: name })

  assert.is(read.path, page.path)
  assert.is(read.document.proto, page.proto)
  assert.is(read.entityId, page.entityId)
  assert.is(read.revisionId, page.headRevisionId)
  assert.is(read.number, page.headRevisionNum)
  assert.is(read.document.hidden, page.hiddenExpected)
  assert.is(read.created, page.expectedCreated)
  assert.is(read.modified, page.expectedModified)
  assert.is(hashOf(read.document), page.contentSha256)
  assert.is(read.history, null)
}

function checkTemplate(data: string, name: string): void {
  const wanted = expectedOf(data).templates[name]
  const commands = readTemplate(readFileSync(join(data, 'rm3-templates', name)), 'wh', name)
  const pages = commands.flatMap(command => {
    if (command.type === 'CreatePage') {
      const { proto, summary } = command.document
      return [{ path: command.path, proto, title: summary['title'] }]
    }
    if (command.type !== 'CreateUser') return []
    return [{ path: command.path, proto: 'user', title: command.fullName }]
  })
  const grants = commands.flatMap(command =>
    command.type === 'PermitRole' ? [[command.role, command.permission, command.pattern]] : [],
  )
  const roles = commands.flatMap(command =>
    command.type === 'AssignRole' ? [[command.path, command.role]] : [],
  )
  const uris = commands.flatMap(command =>
    command.type === 'CreatePage' && command.document.proto === 'predicate'
      ? [[command.path, command.document.summary['uri']]]
      : [],
  )

  assert.is(commands.length, wanted?.items)
  assert.equal(pages, wanted?.entitiesCreatedWithRootWh)
  assert.equal(grants.map(String).sort(), wanted?.permissionGrants.map(String).sort())
  assert.equal(roles, wanted?.roleAssignments)
  assert.equal(Object.fromEntries(uris), wanted?.predicateUris)
}

function hashOf({ summary, data, tags }: Document): string {
  return createHash('sha256')
    .update(canonicalJson({ summary, data, tags } as Json))
    .digest('hex')
}
