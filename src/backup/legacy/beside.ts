import { join } from 'node:path'
import { Rm3Error } from '../../errors.ts'
import type { Beside } from '../beside.ts'
import { putFile } from '../put-file.ts'
import type { LegacyBackup } from './backup.ts'

/** What a backup of rm3 0.x has beside what it tells. */
export function besideLegacy(dir: string, { blobs, credentials }: LegacyBackup): Beside {
  return {
    secrets: () =>
      credentials.map(({ credential, user, details, at }) => {
        return { credential, userId: user, secret: JSON.stringify(details), created: at }
      }),
    putBlobs: async (wanted, stores, { signal, onProgress }) => {
      const some = blobs.filter(({ category, sha256 }) => wanted.get(sha256)?.[category])
      for (const [index, { sha256, file, category }] of some.entries()) {
        signal?.throwIfAborted()
        if (!(await putFile(join(dir, file), sha256, stores[category]))) throw changed(file)
        onProgress?.(index + 1, some.length)
      }
    },
  }
}

function changed(file: string): Rm3Error {
  const message = `${file} was changed while the backup was being read`
  return new Rm3Error('SOURCE_DAMAGED', message, { file })
}
