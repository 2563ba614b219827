import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { BODY_BYTES_MAX } from '../../../src/backup/archive/frames.ts'
import { toMessagePack } from '../../../src/codec/message-pack.ts'
import { assert, suite } from '../../harness.ts'
import { forged, frameOf } from '../../support/archives.ts'
import { measured } from '../../support/measured.ts'

const MEGABYTE = 1024 * 1024
const PEAK_BYTES_MAX = 256 * MEGABYTE
const CPU_MS_MAX = 60_000
const DEADLINE_MS = 300_000
const ZEROS = '0'.repeat(64)
const HEADER = frameOf(
  'H',
  toMessagePack({
    ...{ format: 'rm3-archive', version: 1, parent: { position: 0, chain: ZEROS } },
    head: { position: 1, chain: '1'.repeat(64), recordedAt: '2026-01-01T00:00:00.000Z' },
  }),
)
const SHA256 = 'a'.repeat(64)

/** A list of as many values as a frame holds, each of one byte. */
function listOf(byte: number): Buffer {
  const body = Buffer.alloc(BODY_BYTES_MAX, byte)
  body[0] = 0xdd
  body.writeUInt32BE(BODY_BYTES_MAX - 5, 1)
  return body
}

/** A frame that is compressed, as a bomb is. */
function deflated(type: string, body: Buffer): Buffer {
  const frame = frameOf(type, deflateRawSync(body, { level: 9 }))
  frame[1] = 1
  frame.writeUInt32BE(body.length, 8)
  return frame
}

function blobOf(sizeBytes: number): Buffer {
  return frameOf('B', toMessagePack({ sha256: SHA256, category: 'public', sizeBytes }))
}

function secretsOf(count: number, text: string): Buffer {
  const id = '00000000-0000-4000-8000-000000000001'
  const row = [id, id, text, '2026-01-01T00:00:00.000Z']
  return deflated('S', toMessagePack(Array.from({ length: count }, () => row)))
}

const BOMBS: Readonly<Record<string, () => Buffer[]>> = {
  'events of millions of maps': () => [deflated('E', listOf(0x80))],
  'events of millions of lists': () => [deflated('E', listOf(0x90))],
  'events of millions of nothings': () => [deflated('E', listOf(0xc0))],
  'events nested by the million': () => [deflated('E', Buffer.alloc(BODY_BYTES_MAX, 0x91))],
  'a header of a million levels': () => [deflated('H', Buffer.alloc(BODY_BYTES_MAX, 0x81))],
  'a secret of 60 MB, again and again': () =>
    Array.from({ length: 20 }, () => secretsOf(1, 'x'.repeat(60_000_000))),
  'secrets of 1 GB': () => Array.from({ length: 100 }, () => secretsOf(200, 'x'.repeat(60_000))),
  'a blob of petabytes': () => [
    blobOf(Number.MAX_SAFE_INTEGER),
    ...Array.from({ length: 100 }, () => deflated('D', Buffer.alloc(MEGABYTE))),
  ],
  'pieces of a blob of 64 MB': () => [
    blobOf(Number.MAX_SAFE_INTEGER),
    deflated('D', Buffer.alloc(BODY_BYTES_MAX)),
  ],
  'a blob of a hundred thousand pieces of nothing': () => [
    blobOf(1),
    ...Array.from({ length: 100_000 }, () => frameOf('D', Buffer.alloc(0))),
  ],
  'a hundred thousand blobs of nothing': () => Array.from({ length: 100_000 }, () => blobOf(0)),
}

suite('an archive made to fill memory is refused at once', test => {
  const folder = mkdtempSync(join(tmpdir(), 'rm3-bombs-'))
  const file = join(folder, 'bomb.rm3')
  test.after(() => rmSync(folder, { recursive: true, force: true }))

  for (const [title, framesOf] of Object.entries(BOMBS)) {
    test(
      title,
      async () => {
        writeFileSync(file, forged([HEADER, ...framesOf()]))

        await demandDamaged()
      },
      DEADLINE_MS,
    )
  }

  test(
    'and so is what never ends',
    async () => {
      writeFileSync(file, 'age-encryption.org/v1\n-> X25519 ')
      for (let megabyte = 0; megabyte < 100; megabyte++) appendFileSync(file, 'A'.repeat(MEGABYTE))

      await demandDamaged()

      const { code, stderr } = await measured('rm3backup', ['verify', '/dev/zero'])
      assert.is(code, 13, stderr)
    },
    DEADLINE_MS,
  )

  async function demandDamaged(): Promise<void> {
    const { code, stderr, peakBytes, cpuMs } = await measured('rm3backup', ['verify', file])
    assert.is(code, 13, stderr.slice(0, 2_000))
    assert.not.match(stderr, /\n\s+at |bug of rm3/)
    assert.ok(peakBytes < PEAK_BYTES_MAX, `${Math.round(peakBytes / MEGABYTE)} MB`)
    assert.ok(cpuMs < CPU_MS_MAX, `${Math.round(cpuMs)} ms`)
  }
})
