import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ArchiveSource } from '../backup/archive/load.ts'
import { Rm3Error } from '../errors.ts'
import type { Call } from './command.ts'

const READ_BYTES = 256 * 1024

/** An archive in a file, or with `-` on stdin. @throws SOURCE_NOT_FOUND when it is opened */
export function archiveSource(call: Call, file: string): ArchiveSource {
  const { stdin, cwd } = call.terminal
  if (file === '-')
    return { name: 'stdin', open: async () => ({ bytes: stdin, close: async () => {} }) }
  return {
    name: file,
    open: async () => {
      const handle = await open(resolve(cwd, file), 'r').catch(cause => {
        throw notFound(file, String(cause.code), cause)
      })
      if (!(await handle.stat()).isDirectory()) {
        const bytes = handle.createReadStream({ autoClose: false, highWaterMark: READ_BYTES })
        return { bytes, close: () => handle.close() }
      }
      await handle.close()
      throw notFound(file, 'it is a folder')
    },
  }
}

function notFound(file: string, why: string, cause?: unknown): Rm3Error {
  return new Rm3Error('SOURCE_NOT_FOUND', `${file} cannot be read: ${why}`, { file, cause })
}
