import { GRANTS_STREAM } from '../../../src/content/events.ts'
import { assert, suite } from '../../harness.ts'
import {
  at,
  backupOf,
  DUMPED_AT,
  id,
  type Loose,
  type OldBackup,
  readBack,
  record,
  row,
  rulesOf,
  simplePage,
  streamOf,
  typesOf,
} from './old-backup.ts'

const ROOT = simplePage('wh', 10)
const PASSWORD = {
  ...{ hash: 'AAAA', salt: 'BBBB', keyLength: 66, hashMethod: 'pbkdf2', iterations: 1000 },
}

function user(login: string, n: number, ...roleRows: Loose[]): Loose {
  const path = `wh.users.${login}`
  const made = row({ path, entity: n, revision: n + 1, minute: n, toData: { proto: 'user' } })
  return record(path, made, [...roleRows, made])
}

function roleRow(login: string, revision: number, role: string, given: boolean): Loose {
  return row({
    ...{ path: `wh.users.${login}`, entity: 0, revision, minute: revision },
    ...{ evtClass: given ? 'rm3:assign' : 'rm3:deassign', data: { role } },
  })
}

function withCredential(files: OldBackup, credential: Loose): OldBackup {
  const list = files.get('credentials.json') as Loose[]
  return files.set('credentials.json', [
    ...list,
    {
      provider: 'password',
      userId: 'a@b.c',
      userPath: 'wh.users.ann',
      identityId: null,
      ...credential,
    },
  ])
}

suite('accounts in a legacy backup', test => {
  test('are the actors of what they did', async () => {
    const byAnn = simplePage('wh.a', 40, { actor: 'wh.users.ann' })
    const byBob = simplePage('wh.b', 50, { actor: 'wh.users.bob' })
    const byGone = simplePage('wh.c', 60, { actor: 'wh.users.gone' })
    const alsoGone = simplePage('wh.d', 70, { actor: 'wh.users.gone' })
    const byNobody = simplePage('wh.e', 80, { actor: 'nobody' })
    const users = [user('ann', 20), user('bob', 30)]

    const backup = await readBack(
      backupOf(ROOT, ...users, byAnn, byBob, byGone, alsoGone, byNobody),
    )

    const actors = [40, 50, 60, 70, 80].map(n => streamOf(backup, n)[0]?.actor)
    assert.equal(actors.slice(0, 2), [id(20), id(30)])
    assert.is(actors[2], actors[3])
    assert.match(actors[2] ?? '', /^[0-9a-f]{8}-/)
    assert.is(actors[4], 'nobody')
    assert.is(streamOf(backup, 60)[0]?.meta.import['actorPath'], 'wh.users.gone')
    assert.equal(rulesOf(backup), ['actor-unknown'])
  })
  test('have their roles given and taken, and those that only permissions.json knows', async () => {
    const ann = user('ann', 20, roleRow('ann', 100, 'editor', true))
    const bob = user(
      ...(['bob', 30, roleRow('bob', 101, 'editor', true)] as const),
      roleRow('bob', 102, 'editor', false),
    )
    const files = backupOf(ROOT, ann, bob).set('permissions.json', [
      { type: 'assign', role: 'editor', user: 'ann' },
      { type: 'assign', role: 'root', user: 'ann' },
      { type: 'assign', role: 'root', user: 'nemo' },
    ])

    const backup = await readBack(files)

    const [, first, second] = streamOf(backup, 20)
    assert.equal(typesOf(streamOf(backup, 20)), ['PageCreated', 'RoleAssigned', 'RoleAssigned'])
    assert.equal([first?.at, first?.data], [at(100), { role: 'editor' }])
    assert.equal([second?.at, second?.data], [DUMPED_AT, { role: 'root' }])
    assert.equal(typesOf(streamOf(backup, 30)), ['PageCreated', 'RoleAssigned', 'RoleDeassigned'])
    assert.equal(rulesOf(backup), ['user-unknown', 'assignment-without-row'])
  })
  test('have credentials written as text or as object', async () => {
    const files = backupOf(ROOT, user('ann', 20))
    withCredential(files, { providerDetails: JSON.stringify(PASSWORD) })
    withCredential(files, { provider: 'totp', providerDetails: { secret: 'GEZDGNBV' } })
    withCredential(files, { provider: 'twitter', userId: '7', providerDetails: { token: 't' } })
    withCredential(files, { userId: 'gone', userPath: 'wh.users.gone', providerDetails: PASSWORD })

    const backup = await readBack(files)

    const events = streamOf(backup, 20).slice(1)
    assert.equal(
      backup.credentials.map(({ provider, label, details }) => [provider, label, details]),
      [
        ['password', 'a@b.c', PASSWORD],
        ['totp', 'a@b.c', { secret: 'GEZDGNBV' }],
        ['twitter', '7', { token: 't' }],
      ],
    )
    assert.equal(typesOf(events), ['CredentialSet', 'CredentialSet', 'CredentialSet'])
    assert.not.match(JSON.stringify(backup.events), 'GEZDGNBV')
    assert.equal(rulesOf(backup), ['user-unknown'])
  })
  test('are refused with a password that would cost too much to check', async () => {
    for (const cost of [{ iterations: 10_000_001 }, { keyLength: 129 }, { iterations: '1' }]) {
      const files = backupOf(ROOT, user('ann', 20))
      withCredential(files, { providerDetails: { ...PASSWORD, ...cost } })

      const error = await readBack(files).catch(thrown => thrown)

      assert.is(error.code, 'SOURCE_DAMAGED')
      assert.is(error.details.rule, 'cost')
      assert.is(error.details.file, 'credentials.json')
      assert.is(error.details.place, `/0/providerDetails/${Object.keys(cost)[0]}`)
    }
  })
})

suite('permissions in a legacy backup', test => {
  const edit = { type: 'permit', role: 'editor', permission: 'edit', path: 'wh.!users.*' }

  test('keep their names since 0.3', async () => {
    const backup = await readBack(backupOf(ROOT).set('permissions.json', [edit]))

    const [grant] = backup.events.flatMap(({ events }) => events).slice(-1)
    assert.is(grant?.stream, GRANTS_STREAM)
    assert.equal(grant?.data, { role: 'editor', permission: 'edit', pattern: 'wh.!users.*' })
    assert.is(grant?.at, DUMPED_AT)
  })
  test('get their names of today before 0.3, each once', async () => {
    const files = backupOf(ROOT).set('permissions.json', [
      edit,
      { ...edit, permission: 'post.edit' },
    ])
    const catalog = files.get('catalog.json') as Loose
    catalog['_dump_version'] = '0.2.5'

    const backup = await readBack(files)

    const grants = backup.events.flatMap(({ events }) => events).slice(1)
    assert.equal(
      grants.map(({ data }) => 'permission' in data && data.permission),
      ['post.edit'],
    )
    assert.is(grants[0]?.meta.import['permission'], 'edit')
    assert.equal(rulesOf(backup), ['renamed'])
  })
  test('have the time and author of a row when there is one', async () => {
    const data = { role: 'editor', permission: 'view', path: '*' }
    const given = row({
      ...{ path: 'wh', entity: 0, revision: 90, minute: 90, evtClass: 'rm3:permit', data },
      more: { path: null },
    })
    const made = row({ path: 'wh', entity: 10, revision: 11, minute: 10 })
    const files = backupOf(record('wh', made, [made, given]))
    files.set('permissions.json', [{ type: 'permit', ...data }, edit])

    const backup = await readBack(files)

    const grants = backup.events.flatMap(({ events }) => events).slice(1)
    assert.equal(
      grants.map(event => [event.eventId === id(90), event.actor, event.at]),
      [
        [true, 'root', at(90)],
        [false, 'system', DUMPED_AT],
      ],
    )
    assert.equal(rulesOf(backup), ['grant-without-row'])
  })
})
