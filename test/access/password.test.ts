import { pbkdf2Sync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  hashPassword,
  newPassword,
  verifyNothing,
  verifyPassword,
} from '../../src/access/password.ts'
import { isRm3Error } from '../../src/errors.ts'
import { assert, rejection, suite } from '../harness.ts'

const { RM3_TEST_DATA = '../shared/data' } = process.env
const BACKUPS = join(RM3_TEST_DATA, 'rm3-backups')
const WRONG = { ok: false, rehash: false }

function oldDetails(password: string, changed: object = {}): string {
  const hash = pbkdf2Sync(password, 'c2FsdA==', 1000, 66, 'sha1').toString('base64')
  const details = { hash, salt: 'c2FsdA==', keyLength: 66, hashMethod: 'pbkdf2', iterations: 1000 }
  return JSON.stringify({ ...details, ...changed })
}

suite('passwords', test => {
  test('only the password that was hashed is right', async () => {
    const stored = await hashPassword('correct horse')

    assert.match(stored, /^\$scrypt\$ln=15,r=8,p=3\$[^$]{22}\$[^$]{43}$/)
    assert.equal(await verifyPassword('correct horse', stored), { ok: true, rehash: false })
    assert.equal(await verifyPassword('correct horsf', stored), WRONG)
    assert.equal(await verifyPassword('', stored), WRONG)
    assert.is.not(await hashPassword('correct horse'), stored)
  })

  test('a password is the same however its accents were typed, and all of it counts', async () => {
    const stored = await hashPassword('caf\u00e9 🎉')
    const long = await hashPassword('x'.repeat(1024))

    assert.ok((await verifyPassword('cafe\u0301 🎉', stored)).ok)
    assert.not.ok((await verifyPassword('cafe 🎉', stored)).ok)
    assert.not.ok((await verifyPassword(`${'x'.repeat(1023)}y`, long)).ok)
  })

  test('passwords that cannot be kept are refused, and are nobody’s', async () => {
    const stored = oldDetails('x')
    for (const bad of ['', 'x'.repeat(1025), 'x'.repeat(10_000_000), 'a\0b', 'a\ud800']) {
      assert.ok(isRm3Error(await rejection(hashPassword(bad)), 'PASSWORD_INVALID'))
      assert.equal(await verifyPassword(bad, stored), WRONG)
    }
  })

  test('passwords of rm3 0.x are right and want to be hashed anew', async () => {
    const stored = oldDetails('pässword')
    const right = { ok: true, rehash: true }

    assert.equal(await verifyPassword('pässword', stored), right)
    assert.equal(await verifyPassword('pässword', JSON.stringify(stored)), right)
    assert.equal(await verifyPassword('Pässword', stored), WRONG)
  })

  test('stored values that are damaged or hostile are no password’s', async () => {
    const hash = oldDetails('x')
    const zero = { hash: '', keyLength: 0 }
    const numbers = [{ iterations: 10_000_001 }, { iterations: 0 }, { iterations: '1000' }]
    const others = [{ keyLength: 65 }, { keyLength: 1e9 }, { salt: '' }, { salt: 1 }, zero]
    const old = [...numbers, ...others, { hashMethod: 'md5' }, { hash: null }]
    const tail = `$${'A'.repeat(22)}$${'A'.repeat(43)}`
    const ours = [
      'ln=31,r=8,p=1',
      'ln=15,r=99,p=1',
      'ln=15,r=8,p=0',
      'ln=18,r=8,p=1',
      'ln=17,r=8,p=8',
      'ln=0,r=8,p=1',
      'ln=1',
    ]
    const texts = [
      '',
      'null',
      '[]',
      '"x"',
      '{',
      hash.slice(1),
      ...ours.map(o => `$scrypt$${o}${tail}`),
    ]
    for (const stored of [...old.map(o => oldDetails('x', o)), ...texts]) {
      assert.equal(await verifyPassword('x', stored), WRONG, stored)
    }
  })

  test('an unknown user costs what a known one costs', async () => {
    const stored = await hashPassword('x')
    const time = async (work: () => Promise<unknown>) => {
      const start = performance.now()
      await work()
      return performance.now() - start
    }
    const known = await time(() => verifyPassword('y', stored))

    const unknown = await time(() => verifyNothing('y'))

    assert.ok(unknown > known / 3 && unknown < known * 3, `${unknown} ms against ${known} ms`)
  })

  test('a flood is turned away, keeps the event loop free and does no lasting harm', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)

    const answers = await Promise.allSettled(Array.from({ length: 50 }, () => verifyNothing('x')))
    clearInterval(timer)

    const refused = answers.filter(answer => answer.status === 'rejected')
    assert.ok(refused.length >= 40 && refused.length < 50, String(refused.length))
    assert.ok(refused.every(answer => isRm3Error(answer.reason, 'RATE_LIMITED')))
    assert.ok(ticks > 10, `${ticks} ticks`)
    await verifyNothing('x')
  })

  test('made passwords are readable and different', () => {
    const made = new Set(Array.from({ length: 1000 }, newPassword))
    assert.is(made.size, 1000)
    for (const password of made)
      assert.match(password, /^([a-hjkmnp-z2-9]{5}-){3}[a-hjkmnp-z2-9]{5}$/)
  })
})

suite('passwords of rm3 0.x backups', test => {
  if (!existsSync(BACKUPS)) {
    test.skip('the credentials of real backups are right', `there is no ${BACKUPS}`)
    return
  }
  for (const version of readdirSync(BACKUPS)) {
    test(`the credentials of ${version} are right`, async () => {
      const text = readFileSync(join(BACKUPS, version, 'credentials.json'), 'utf8')
      const [credential] = JSON.parse(text) as { providerDetails: string }[]
      const stored = credential?.providerDetails ?? ''

      assert.equal(await verifyPassword('password', stored), { ok: true, rehash: true })
      assert.equal(await verifyPassword('Password', stored), WRONG)
    })
  }
})
