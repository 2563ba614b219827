import { createHash } from 'node:crypto'
import {
  csrfToken,
  isCsrfToken,
  isSameHash,
  newSession,
  newToken,
  parseSession,
  parseToken,
} from '../../src/access/secrets.ts'
import { assert, suite } from '../harness.ts'

suite('tokens and sessions', test => {
  test('a token yields its id and hash and nothing else does', () => {
    const { id, token, hash } = newToken()

    assert.match(token, /^rm3_[\w-]{64}$/)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    assert.equal(parseToken(token), { id, hash })
    assert.equal(hash, createHash('sha256').update(token).digest())
    for (const bad of [
      token.slice(1),
      `${token}A`,
      `${token}\n`,
      ` ${token}`,
      '',
      null,
      7,
      [token],
    ]) {
      assert.is(parseToken(bad), null)
    }
  })

  test('changing any character of a token changes its hash', () => {
    const { token, hash } = newToken()
    for (let at = 4; at < token.length; at++) {
      const other = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
      const parsed = parseToken(other)
      assert.ok(parsed !== null && !isSameHash(parsed.hash, hash))
    }
  })

  test('a session id has one spelling', () => {
    for (let n = 0; n < 200; n++) {
      const { session, hash } = newSession()
      assert.equal(parseSession(session), { hash })
      assert.is(session.length, 43)
    }
    for (const bad of ['A'.repeat(42), `${'A'.repeat(42)}B`, 'A'.repeat(44), '', undefined, {}]) {
      assert.is(parseSession(bad), null)
    }
  })

  test('tokens and sessions do not repeat', () => {
    const made = Array.from({ length: 1000 }, () => [newToken().token, newSession().session]).flat()
    assert.is(new Set(made).size, 2000)
  })

  test('a CSRF token is good for its session and key only', () => {
    const { session } = newSession()
    const token = csrfToken(session, 'key')

    assert.is(csrfToken(session, 'key'), token)
    assert.ok(isCsrfToken(token, session, 'key'))
    assert.not.ok(isCsrfToken(token, newSession().session, 'key'))
    assert.not.ok(isCsrfToken(token, session, 'other key'))
    for (const bad of ['', token.slice(1), `${token}A`, 'é'.repeat(22), undefined, null, [token]]) {
      assert.not.ok(isCsrfToken(bad, session, 'key'))
    }
  })
})
