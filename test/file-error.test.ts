import { Rm3Error } from '../src/errors.ts'
import { fileError } from '../src/file-error.ts'
import { assert, suite } from './harness.ts'

const ofSystem = (code: string, path?: string) =>
  Object.assign(new Error(`${code}: something, write`), {
    code,
    ...(path !== undefined && { path }),
  })

suite('errors of the file system', test => {
  test('say how much room is left where there is none', () => {
    for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
      const error = fileError(ofSystem(code), '/tmp/file') as Rm3Error

      assert.is(error.code, 'DISK_FULL')
      assert.match(
        error.message,
        /^there is no space left for \/tmp\/file: [0-9.]+ MB are free there$/,
      )
    }
    const nowhere = fileError(ofSystem('ENOSPC'), '/nowhere/at/all') as Rm3Error
    assert.is(nowhere.message, 'there is no space left for /nowhere/at/all')
  })

  test('name the file, what the system says and what to do', () => {
    const error = fileError(ofSystem('EROFS', '/a/b'), '/other') as Rm3Error

    assert.is(error.code, 'FILE_FAILED')
    assert.match(error.message, /^\/a\/b: EROFS: something; the file system can only be read: /)
    assert.equal(error.details, { path: '/a/b' })
  })

  test('are left as they are where they mean something else, and so is what is none', () => {
    for (const thrown of [
      ofSystem('ENOENT'),
      new Rm3Error('DISK_FULL', 'x'),
      new Error('bug'),
      'text',
      null,
    ]) {
      assert.is(fileError(thrown, '/tmp/file'), thrown)
    }
  })
})
