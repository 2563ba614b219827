import { deflateSync } from 'node:zlib'
import { crc32 } from './crc32.ts'
import type { DemoText } from './documents.ts'

/** A picture of the demonstration: its page, and its file. */
export interface DemoPicture {
  readonly label: string
  readonly text: DemoText
  readonly name: string
  readonly bytes: () => Buffer
}

const SIZE = { width: 480, height: 320 }

/** The pictures, drawn for this site. */
export const PICTURES: readonly DemoPicture[] = [
  {
    label: 'the_log',
    name: 'log.svg',
    text: {
      ...{ proto: 'vectorgraphic', title: 'The log', size: SIZE },
      abstract: 'Event after event, each chained to the one before.',
      text: 'Events are only ever added at the right. Each carries a fingerprint of the one before, so none can be changed unnoticed.',
    },
    bytes: () => Buffer.from(logSvg()),
  },
  {
    label: 'two_drafts',
    name: 'drafts.svg',
    text: {
      ...{ proto: 'vectorgraphic', title: 'Two drafts', size: SIZE },
      abstract: 'Two drafts begun from one revision; one of them went live.',
      text: 'The line is what readers saw. The branches are drafts: the upper one was published, the lower one is still there.',
    },
    bytes: () => Buffer.from(draftsSvg()),
  },
  {
    label: 'dusk',
    name: 'dusk.png',
    text: {
      ...{ proto: 'photo', title: 'Dusk', size: { width: 96, height: 64 } },
      abstract: 'Not a photograph: a gradient made of a few numbers.',
      text: 'Made by the program that made this site, pixel by pixel.',
    },
    bytes: duskPng,
  },
]

function svg(inside: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 320" width="480" height="320">
<rect width="480" height="320" fill="#f6f3ec"/>
${inside}
</svg>
`
}

function logSvg(): string {
  const colours = ['#35506b', '#4f7d84', '#c98b3d', '#35506b', '#9c4f43', '#4f7d84']
  return svg(
    colours
      .map((colour, index) => {
        const x = 36 + index * 70
        const link = `<path d="M${x - 22} 160h22" stroke="#8a8577" stroke-width="4"/>`
        return `${link}<rect x="${x}" y="130" width="48" height="60" rx="8" fill="${colour}"/>`
      })
      .join('\n'),
  )
}

function draftsSvg(): string {
  return svg(`<path d="M40 160H440" stroke="#35506b" stroke-width="6"/>
<path d="M140 160C180 90 260 90 320 160" stroke="#c98b3d" stroke-width="5" fill="none"/>
<path d="M140 160C180 240 240 240 300 240" stroke="#9c4f43" stroke-width="5" fill="none" stroke-dasharray="12 8"/>
<circle cx="140" cy="160" r="12" fill="#35506b"/>
<circle cx="320" cy="160" r="12" fill="#c98b3d"/>
<circle cx="300" cy="240" r="12" fill="#9c4f43"/>`)
}

/** A PNG of 96 by 64 pixels in true colour. */
function duskPng(): Buffer {
  const [width, height] = [96, 64]
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const down = y / (height - 1)
      const sun = Math.max(0, 1 - Math.hypot(x - 62, (y - 44) * 1.4) / 22)
      const pixel = y * (width * 3 + 1) + 1 + x * 3
      rows[pixel] = Math.min(255, 45 + 160 * down + 90 * sun)
      rows[pixel + 1] = Math.min(255, 50 + 70 * down + 110 * sun)
      rows[pixel + 2] = Math.min(255, 95 + 10 * down + 40 * sun)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(body.length + 8)
  frame.writeUInt32BE(data.length, 0)
  body.copy(frame, 4)
  frame.writeUInt32BE(crc32(body), body.length + 4)
  return frame
}
