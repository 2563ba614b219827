import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import {
  type BlobStore,
  hasBlob,
  openBlob,
  openBlobStore,
  putBlob,
  removePartials,
  verifyBlob,
} from '../../src/blobs/store.ts'
import { fileError } from '../../src/file-error.ts'
import { PACKAGE_ROOT } from '../../src/package-root.ts'
import { assert, rejection, suite } from '../harness.ts'

const BYTES = Buffer.from('%PDF-1.7 a small file')
const SHA256 = createHash('sha256').update(BYTES).digest('hex')

suite('the blob store', test => {
  let store: BlobStore
  test.before(async () => {
    store = await openBlobStore(join(await mkdtemp(join(tmpdir(), 'blobs-')), 'public'))
  })
  test.after(() => rm(join(store.folder, '..'), { recursive: true }))

  test('keeps bytes under their hash, for the owner alone, however often they come', async () => {
    const first = await putBlob(store, pieces(BYTES.subarray(0, 3), BYTES.subarray(3)))
    const again = await putBlob(store, pieces(BYTES))
    const { mode } = await stat(join(store.folder, SHA256.slice(0, 2), SHA256))

    assert.equal(first, { sha256: SHA256, sizeBytes: BYTES.length, mediaType: 'application/pdf' })
    assert.equal(again, first)
    assert.is(mode & 0o777, 0o600)
    assert.equal(await filesIn(store), [join(SHA256.slice(0, 2), SHA256)])
  })

  test('gives back the bytes, whole or a range', async () => {
    const whole = await openBlob(store, SHA256)
    const part = await openBlob(store, SHA256, { from: 1, until: 4 })

    assert.is((await read(whole.stream)).compare(BYTES), 0)
    assert.is(String(await read(part.stream)), 'PDF')
    assert.is(part.sizeBytes, BYTES.length)
    for (const range of [
      { from: 3, until: 3 },
      { from: 0, until: 99 },
      { from: -1, until: 2 },
    ]) {
      assert.is(codeOf(await rejection(openBlob(store, SHA256, range))), 'REQUEST_INVALID')
    }
  })

  test('keeps files, and files without a byte', async () => {
    const file = join(store.folder, '..', 'empty')
    await writeFile(file, '')
    const { sha256, sizeBytes } = await putBlob(store, file)

    assert.is(sizeBytes, 0)
    assert.is((await read((await openBlob(store, sha256)).stream)).length, 0)
    assert.is(codeOf(await rejection(putBlob(store, `${file}-not`))), 'SOURCE_NOT_FOUND')
  })

  test('takes no file that is a link, a pipe or a folder', async () => {
    const place = join(store.folder, '..', 'strange')
    const before = await filesIn(store)
    for (const make of [
      () => symlink(join(store.folder, '..', 'empty'), place),
      () => execFileSync('mkfifo', [place]),
      () => mkdir(place),
    ]) {
      await make()

      const error = await rejection(putBlob(store, place))

      assert.is(codeOf(error), 'SOURCE_DAMAGED')
      assert.match(String(error), /strange is a link or something else/)
      await rm(place, { recursive: true })
    }
    assert.equal(await filesIn(store), before)
  })

  test('names the file that cannot be read', async () => {
    const sha256 = createHash('sha256').update('spoilt').digest('hex')
    const place = join(store.folder, sha256.slice(0, 2), sha256)
    await mkdir(place, { recursive: true })

    const { stream } = await openBlob(store, sha256)
    const error = fileError(await rejection(read(stream)))

    assert.is(codeOf(error), 'FILE_FAILED')
    assert.ok(String(error).includes(place), String(error))
    await rm(place, { recursive: true })
  })

  test('says of what is not there and of what is no hash that it is missing', async () => {
    for (const name of [
      '0'.repeat(64),
      '../../etc/passwd',
      SHA256.toUpperCase(),
      '',
      `${SHA256}\n`,
    ]) {
      assert.is(codeOf(await rejection(openBlob(store, name))), 'BLOB_MISSING')
      assert.is(await hasBlob(store, name), false)
    }
    assert.is(await hasBlob(store, SHA256), true)
  })

  test('keeps nothing of a source that fails or is too large', async () => {
    const before = await filesIn(store)
    const broken = rejection(putBlob(store, failing()))
    const large = rejection(putBlob(store, pieces(BYTES, BYTES), BYTES.length))

    assert.match(String(await broken), /cut off/)
    assert.is(codeOf(await large), 'BODY_TOO_LARGE')
    assert.equal(await filesIn(store), before)
  })

  test('finds bytes that have changed, and putting them again mends them', async () => {
    await writeFile(join(store.folder, SHA256.slice(0, 2), SHA256), 'altered')
    assert.is(await verifyBlob(store, SHA256), false)

    await putBlob(store, pieces(BYTES))
    assert.is(await verifyBlob(store, SHA256), true)
  })

  test('many puts of the same bytes at once leave one file', async () => {
    const bytes = Buffer.alloc(300_000, 'x')
    const before = await filesIn(store)
    const stored = await Promise.all(
      Array.from({ length: 20 }, () => putBlob(store, pieces(bytes, bytes))),
    )

    assert.is(new Set(stored.map(({ sha256 }) => sha256)).size, 1)
    assert.is((await filesIn(store)).length, before.length + 1)
    assert.is(await verifyBlob(store, stored[0]?.sha256 ?? ''), true)
  })

  test('a process killed between writing and renaming leaves no blob, and what it left is removed', async () => {
    const before = await filesIn(store)
    await killWhilePutting(store)
    const left = (await filesIn(store)).filter(name => !before.includes(name))

    assert.is(left.length, 1)
    assert.match(left[0] ?? '', /^incoming-/)
    assert.is(await removePartials(store, 60_000), 0)
    assert.is(await removePartials(store, 0), 1)
    assert.equal(await filesIn(store), before)
  })
})

async function* pieces(...bytes: Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* bytes
}

async function* failing(): AsyncIterable<Uint8Array> {
  yield BYTES
  throw new Error('cut off')
}

async function read(stream: Readable): Promise<Buffer> {
  return Buffer.concat(await stream.toArray())
}

async function filesIn({ folder }: BlobStore): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile())
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort()
}

/** Puts in a process of its own a source that never ends, and kills it once its bytes are on disk. */
async function killWhilePutting({ folder }: BlobStore): Promise<void> {
  const module = join(PACKAGE_ROOT, 'dist/src/blobs/store.js')
  const script = `
    const { putBlob } = await import(${JSON.stringify(module)})
    async function* source() {
      yield Buffer.from('all of it')
      console.log('written')
      await new Promise(done => setTimeout(done, 60_000))
    }
    await putBlob({ folder: ${JSON.stringify(folder)} }, source())`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise(done => child.stdout.once('data', done))
  const closed = new Promise(done => child.once('close', done))
  child.kill('SIGKILL')
  await closed
}

function codeOf(thrown: unknown): unknown {
  return (thrown as { code?: unknown }).code
}
