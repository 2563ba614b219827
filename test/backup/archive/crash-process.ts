/** `crash-process URL FOLDER FILE POINT`: writes the archive of a site and dies at a point, as if the machine had stopped. */
import { join } from 'node:path'
import { writeWhole } from '../../../src/backup/archive/file.ts'
import { writeArchive } from '../../../src/backup/archive/write.ts'
import { openBlobStore } from '../../../src/blobs/store.ts'
import { TEST_SITE } from '../../support/database.ts'

const [url = '', folder = '', file = '', point] = process.argv.slice(2)
const reached = (it: string) => {
  if (it === point) process.kill(process.pid, 'SIGKILL')
}
const blobs = {
  public: await openBlobStore(join(folder, 'public')),
  private: await openBlobStore(join(folder, 'private')),
}
await writeWhole(
  file,
  out =>
    writeArchive({ database: { url, site: TEST_SITE }, blobs }, { out, program: 'test', reached }),
  reached,
)
