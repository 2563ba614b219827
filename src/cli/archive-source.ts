import { resolve } from 'node:path'
import type { ArchiveSource } from '../backup/archive/load.ts'
import { openBytes } from '../backup/archive/open-bytes.ts'
import type { Call } from './command.ts'

/** An archive in a file, or with `-` on stdin. @throws SOURCE_NOT_FOUND when it is opened */
export function archiveSource(call: Call, file: string): ArchiveSource {
  const { stdin, cwd } = call.terminal
  if (file === '-')
    return { name: 'stdin', open: async () => ({ bytes: stdin, close: async () => {} }) }
  return { name: file, open: () => openBytes(resolve(cwd, file), file) }
}
