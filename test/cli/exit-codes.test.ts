import { EXIT, EXIT_CODES, exitCodeOf } from '../../src/cli/exit-codes.ts'
import { ERROR_CODES, Rm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'

suite('exit codes', test => {
  test('are given to every error', () => {
    assert.equal(Object.keys(EXIT_CODES).sort(), Object.keys(ERROR_CODES).sort())
  })

  test('are none but those of the contract, and never 0 for an error', () => {
    const known = new Set<number>([1, 2, 3, 10, 11, 12, 13, 14, 15, 28])

    assert.equal(
      Object.entries(EXIT_CODES).filter(([, code]) => !known.has(code)),
      [],
    )
  })

  test('tell a full disk and a bug apart', () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })

    assert.is(exitCodeOf(full), EXIT.noSpace)
    assert.is(exitCodeOf(new Error('bug')), EXIT.failed)
    assert.is(exitCodeOf(new Rm3Error('SITE_NOT_EMPTY', 'x')), EXIT.targetExists)
  })
})
