/** A text of a file, and in what it was written. */
export interface Decoded {
  readonly text: string
  /** UTF-8, or else the encoding that gives every byte a character. */
  readonly encoding: 'utf-8' | 'windows-1252'
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const WINDOWS_1252 = new TextDecoder('windows-1252')

/** Bytes as text: UTF-8 when they are that, and otherwise Windows' Western European, in which every byte means something. */
export function decodeText(bytes: Uint8Array): Decoded {
  try {
    return { text: UTF_8.decode(bytes), encoding: 'utf-8' }
  } catch {
    return { text: WINDOWS_1252.decode(bytes), encoding: 'windows-1252' }
  }
}
