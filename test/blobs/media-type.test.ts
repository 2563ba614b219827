import fc from 'fast-check'
import { SNIFF_BYTES, sniffMediaType } from '../../src/blobs/media-type.ts'
import { assert, suite } from '../harness.ts'

const FILES: [type: string, bytes: string][] = [
  ['image/jpeg', '\xff\xd8\xff\xe0\0\x10JFIF'],
  ['image/png', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
  ['image/gif', 'GIF89a\x01\0'],
  ['image/gif', 'GIF87a\x01\0'],
  ['image/webp', 'RIFF\x24\0\0\0WEBPVP8 '],
  ['audio/wav', 'RIFF\x24\0\0\0WAVEfmt '],
  ['image/avif', '\0\0\0\x20ftypavif\0\0\0\0avifmif1'],
  ['image/avif', '\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf'],
  ['video/mp4', '\0\0\0\x18ftypisom\0\0\x02\0isommp41'],
  ['video/mp4', '\0\0\0\x18ftypmp42\0\0\0\0mp42isom'],
  ['audio/mp4', '\0\0\0\x18ftypM4A \0\0\0\0M4A isom'],
  ['video/webm', '\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm'],
  ['audio/ogg', 'OggS\0\x02............OpusHead'],
  ['video/ogg', 'OggS\0\x02............\x80theora'],
  ['audio/mpeg', 'ID3\x04\0'],
  ['audio/mpeg', '\xff\xfb\x90\x64\0'],
  ['application/pdf', '%PDF-1.4\n'],
  ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg">'],
  ['image/svg+xml', '\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a > b -->\n<!DOCTYPE svg>\n<svg/>'],
]

const OTHERS = [
  '',
  'plain text',
  '<html><svg></svg></html>',
  '<!-- <svg> -->',
  '<svgx>',
  '\0\0\0\x18ftypheic\0\0\0\0mif1heic',
  '\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska',
  'RIFF\x24\0\0\0AVI LIST',
  '\xff\xff\xff\xff',
  '\xff\xf1\x50\x80',
  ' GIF89a',
  'MZ\x90\0',
]

suite('media types', test => {
  test('are those of the content', () => {
    for (const [type, bytes] of FILES) assert.is(sniffMediaType(Buffer.from(bytes, 'latin1')), type)
  })

  test('of anything else is that of bytes nobody knows', () => {
    for (const bytes of OTHERS) {
      const type = sniffMediaType(Buffer.from(bytes, 'latin1'))
      assert.is(type, 'application/octet-stream', JSON.stringify(bytes))
    }
  })

  test('are found in time that a hostile file cannot stretch', () => {
    const hostile = [
      '<!--a-->'.repeat(600),
      '<?'.repeat(3000),
      '<!DOCTYPE >'.repeat(500),
      ' '.repeat(SNIFF_BYTES),
    ]
    const started = Date.now()
    for (const text of hostile) sniffMediaType(Buffer.from(text))

    assert.ok(Date.now() - started < 200)
  })

  test('never come from bytes past the head, and nothing makes the search fail', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
        assert.is(typeof sniffMediaType(bytes), 'string')
      }),
    )
  })
})
