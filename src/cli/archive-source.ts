import { resolve } from 'node:path'
import { addAbortSignal } from 'node:stream'
import type { ArchiveSource } from '../backup/archive/load.ts'
import { openBytes } from '../backup/archive/open-bytes.ts'
import type { Call } from './command.ts'

/** An archive in a file, or with `-` on stdin. @throws SOURCE_NOT_FOUND when it is opened */
export function archiveSource(call: Call, file: string): ArchiveSource {
  const { stdin, cwd } = call.terminal
  if (file === '-') {
    // a pipe in which nothing comes must not keep one who is told to stop
    const open = async () => {
      call.signal.throwIfAborted()
      return { bytes: addAbortSignal(call.signal, stdin), close: async () => {} }
    }
    return { name: 'stdin', open }
  }
  return { name: file, open: () => openBytes(resolve(cwd, file), file) }
}
