import { type FileHandle, open } from 'node:fs/promises'
import { Rm3Error } from '../../errors.ts'
import { fileError } from '../../file-error.ts'

const READ_BYTES = 256 * 1024

/**
 * Opens a file, or a pipe that has a name, to be read once from its first byte on; it is to be closed.
 *
 * @param name what people call it
 * @returns bytes; reading them throws FILE_FAILED
 * @throws SOURCE_NOT_FOUND, FILE_FAILED
 */
export async function openBytes(
  path: string,
  name = path,
): Promise<{ bytes: AsyncIterable<Uint8Array>; close: () => Promise<void> }> {
  const file = await open(path, 'r').catch(cause => {
    throw notFound(name, String(cause.code), cause)
  })
  try {
    if ((await file.stat()).isDirectory()) throw notFound(name, 'it is a folder')
  } catch (thrown) {
    await file.close()
    throw fileError(thrown, name)
  }
  return { bytes: bytesIn(file, name), close: () => file.close() }
}

async function* bytesIn(file: FileHandle, name: string): AsyncIterable<Uint8Array> {
  try {
    yield* file.createReadStream({ autoClose: false, highWaterMark: READ_BYTES })
  } catch (thrown) {
    throw fileError(thrown, name)
  }
}

function notFound(name: string, why: string, cause?: unknown): Rm3Error {
  return new Rm3Error('SOURCE_NOT_FOUND', `${name} cannot be read: ${why}`, { file: name, cause })
}
