import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, withEnvFile } from '../src/config.ts'
import { Rm3Error } from '../src/errors.ts'
import { OLD_SETTINGS, SETTINGS } from '../src/settings.ts'
import { assert, suite } from './harness.ts'

function problemsOf(env: Record<string, string>): string[] {
  try {
    loadConfig(env)
  } catch (thrown) {
    assert.instance(thrown, Rm3Error)
    assert.is((thrown as Rm3Error).code, 'CONFIG_INVALID')
    return (thrown as Rm3Error).details['problems'] as string[]
  }
  return []
}

suite('config', test => {
  let folder = ''
  test.before(() => {
    folder = mkdtempSync(join(tmpdir(), 'rm3-config-'))
  })
  test.after(() => rmSync(folder, { recursive: true }))

  test('an empty environment gives the defaults', () => {
    const config = loadConfig({}, '/srv')

    assert.equal(config, {
      databaseUrl: null,
      site: 'rm3',
      dataFolder: '/srv/.rm3',
      listenPort: 4000,
      listenHost: '127.0.0.1',
      publicBlobsFolder: '/srv/.rm3/blobs/public',
      privateBlobsFolder: '/srv/.rm3/blobs/private',
      sessionSecret: null,
      emailUrl: null,
      jwtSecret: null,
      jwtIssuer: null,
      jwtAudienceRoot: '127.0.0.1',
      jwtExpiresSeconds: 86_400,
      totpIssuer: 'rm3',
      trustProxy: false,
      httpsChecksDisabled: false,
      unsafeDatabaseAllowed: false,
      workersDisabled: false,
      logLevel: 'info',
      backupsFolder: '/srv/.rm3/backups',
      backupRecipients: [],
      backupIdentity: '',
      warnings: [],
    })
  })

  test('the configuration cannot be changed', () => {
    const config = loadConfig({})

    assert.throws(() => Object.assign(config, { site: 'other' }), TypeError)
  })

  test('an empty value counts as not set', () => {
    assert.is(loadConfig({ RM3_LISTEN_PORT: '', RM3_PG: '' }).listenPort, 4000)
  })

  test('every problem is named at once, in one message', () => {
    const problems = problemsOf({
      RM3_LISTEN_PORT: '80000',
      RM3_SITE: 'pg_x',
      RM3_WF_DISABLE: 'yes',
      RM3_LISTEN_PROT: '1',
      RM3_NONSENSE: '1',
    })

    assert.is(problems.length, 5)
    assert.ok(problems.includes('RM3_LISTEN_PROT is not a setting; is RM3_LISTEN_PORT meant?'))
    assert.ok(
      problems.includes(
        'RM3_NONSENSE is not a setting; docs/reference/configuration.md lists them',
      ),
    )
    assert.ok(problems.includes('RM3_LISTEN_PORT: "80000" is not a port from 0 to 65535'))
    assert.ok(problems.includes('RM3_WF_DISABLE: "yes" is not true, false, 1 or 0'))
  })

  test('booleans are true, false, 1 and 0 and nothing else', () => {
    for (const [text, value] of Object.entries({ true: true, 1: true, false: false, 0: false })) {
      assert.is(loadConfig({ RM3_WF_DISABLE: text }).workersDisabled, value)
    }
    for (const text of ['TRUE', 'yes', 'on', 'no', ' 1', 'constructor', '2']) {
      assert.is(problemsOf({ RM3_WF_DISABLE: text }).length, 1, text)
    }
  })

  test('a secret is never shown', () => {
    const problems = problemsOf({
      RM3_PG: 'mysql://u:hunter2@h/d',
      RM3_SESSION_SECRET: 'hunter2',
      RM3_EMAIL: 'hunter2',
    })

    assert.is(problems.length, 3)
    assert.not.match(problems.join('\n'), /hunter2/)
  })

  test('a secret is read from the file that NAME_FILE names, without its last line end', () => {
    writeFileSync(join(folder, 'secret'), 'a secret that is long enough\n')

    const config = loadConfig({ RM3_SESSION_SECRET_FILE: 'secret' }, folder)

    assert.is(config.sessionSecret, 'a secret that is long enough')
  })

  test('a secret given twice, or in a file that is not there, is refused', () => {
    assert.match(
      problemsOf({ RM3_PG: 'postgres://h/d', RM3_PG_FILE: '/dev/null' }).join(),
      /both set/,
    )
    assert.match(
      problemsOf({ RM3_PG_FILE: '/nowhere/x' }).join(),
      /\/nowhere\/x cannot be read: ENOENT/,
    )
    assert.match(
      problemsOf({ RM3_SITE_FILE: '/nowhere/x' }).join(),
      /RM3_SITE_FILE is not a setting/,
    )
  })

  test('trusted proxies are none, a number of hops, or a list of addresses and networks', () => {
    const proxies = (text: string) => loadConfig({ RM3_DANGER_TRUST_PROXY: text }).trustProxy

    assert.is(proxies('false'), false)
    assert.is(proxies('0'), false)
    assert.is(proxies('2'), 2)
    assert.equal(proxies('127.0.0.1, 10.0.0.0/8,fd00::/8'), ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'])
    for (const text of [
      'true',
      'loopback',
      '10.0.0.0/33',
      '10.0.0.0/8/8',
      '1.2.3',
      ',',
      '-1',
      '101',
    ]) {
      assert.is(problemsOf({ RM3_DANGER_TRUST_PROXY: text }).length, 1, text)
    }
  })

  test('a bucket for blobs is recognised and refused', () => {
    assert.match(problemsOf({ RM3_LOCAL_BLOBS: 's3://b/p' }).join(), /s3:\/\/ is not supported yet/)
  })

  test('private blobs are not kept where everyone can read', () => {
    assert.match(
      problemsOf({ RM3_LOCAL_BLOBS: '/b', RM3_PRIVATE_BLOBS: '/b/private' }).join(),
      /served to everyone/,
    )
  })

  test('settings of rm3 0.x are warned of, and do not stop the start', () => {
    const env = Object.fromEntries(Object.keys(OLD_SETTINGS).map(name => [name, 'x']))

    const { warnings } = loadConfig(env)

    assert.is(warnings.length, Object.keys(OLD_SETTINGS).length)
    assert.match(warnings.join('\n'), /RM3_SESSION_REDIS is of rm3 0\.x and means nothing now/)
  })

  test('names of the tests and of other programs are not looked at', () => {
    assert.equal(problemsOf({ RM3_TEST_DATA: '/x', RM3: '1', PATH: '/bin' }), [])
  })

  test('the environment wins over the .env file', () => {
    writeFileSync(join(folder, '.env'), '# mine\nRM3_SITE=blog\nRM3_LISTEN_PORT="4001"\n')

    const config = loadConfig(withEnvFile({ RM3_SITE: 'shop' }, folder), folder)

    assert.is(config.site, 'shop')
    assert.is(config.listenPort, 4001)
  })

  test('a missing .env file is none', () => {
    const env = { RM3_SITE: 'shop' }

    assert.is(withEnvFile(env, '/nowhere'), env)
  })

  test('every setting says what it means and has a default that it allows', () => {
    assert.equal(problemsOf(defaults()), [])
    for (const { meaning } of Object.values(SETTINGS)) assert.match(meaning, /^[A-Z].*\.$/)
  })
})

function defaults(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default ?? '']),
  )
}
