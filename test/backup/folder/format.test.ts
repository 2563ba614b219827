import { blobFileName, hashOfBlobFile, isFileName } from '../../../src/backup/folder/format.ts'
import { assert, suite } from '../../harness.ts'

const SHA256 = 'ab'.repeat(32)

suite('names of files in a backup', test => {
  for (const [name, suffix] of [
    ['infile.jpg', '.jpg'],
    ['Photo of Us.JPEG', '.jpeg'],
    ['archive.tar.gz', '.gz'],
    ['README', ''],
    ['an.unusualsuffix', ''],
    ['../../etc/passwd.', ''],
    ['bild.größe', ''],
  ] as const) {
    test(`a blob called ${name} ends in ${suffix || 'its hash'}`, () => {
      const file = blobFileName(SHA256, { path: 'wh.a', name })
      assert.is(file, `wh.a-${SHA256}${suffix}`)
      assert.ok(isFileName('blob', file))
      assert.is(hashOfBlobFile(file), SHA256)
    })
  }

  test('a blob of a page with a long path has a name that file systems take', () => {
    const file = blobFileName(SHA256, { path: `wh.${'a'.repeat(900)}`, name: 'a.abcdefgh' })
    assert.ok(file.length <= 255)
    assert.ok(isFileName('blob', file))
  })

  test('what is not the name of a blob has no hash', () => {
    for (const file of ['wh.a-data.json', SHA256, `wh-${SHA256}.a/b`, '']) {
      assert.is(hashOfBlobFile(file), '')
      assert.not.ok(isFileName('blob', file))
    }
  })
})
