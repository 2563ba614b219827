/** `backup-process URL FOLDER DIR POINT [resume]`: backs a site up and dies at a step, as if the machine had stopped. */
import { join } from 'node:path'
import { writeBackupFolder } from '../../../src/backup/folder/write.ts'
import { TEST_SITE } from '../../support/database.ts'

const [url = '', folder = '', dir = '', point] = process.argv.slice(2)
const stores = {
  public: { folder: join(folder, 'public') },
  private: { folder: join(folder, 'private') },
}
await writeBackupFolder(
  { url, site: TEST_SITE, stores },
  {
    ...{ dir, program: 'rm3 test', resume: process.argv.includes('resume') },
    reached: step => {
      if (step === point) process.kill(process.pid, 'SIGKILL')
    },
  },
)
