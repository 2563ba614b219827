import { stat } from 'node:fs/promises'
import { Rm3Error } from '../errors.ts'
import { backupFolder, FOLDER_OPTIONS } from './backup-folder.ts'
import { backupGit, GIT_BACKUP_OPTIONS } from './backup-git.ts'
import type { Call, Command, Outcome } from './command.ts'
import { verifyBackupFolder } from './verify-folder.ts'

/** `rm3backup`: a site into a folder; and whether such a folder is whole. */
export const backup: Command = {
  name: 'rm3backup',
  summary: 'writes a backup, or verifies one',
  arguments: [
    { name: 'DIR', summary: 'folder of the backup, which must not exist; or the word verify' },
    { name: 'BACKUP', summary: 'after verify: the backup to read', optional: true },
  ],
  options: { ...FOLDER_OPTIONS, ...GIT_BACKUP_OPTIONS },
  details: `The backup is of one moment; the site goes on meanwhile. DIR gets its name when all of it is on disk; before that it is
DIR.partial, which --resume goes on with. \`rm3backup verify BACKUP\` reads all of a backup and names each file that
is damaged, missing or too many; it needs no database. Exit codes: 3 something is missing, 13 it is damaged,
14 DIR is there already, 15 it is of a newer rm3, 28 no space.`,
  run: call => run(call),
}

async function run(call: Call): Promise<Outcome> {
  const dir = call.argument('DIR')
  const source = call.findArgument('BACKUP')
  if (dir !== 'verify') {
    if (source === null) return call.flag('git') ? backupGit(call, dir) : backupFolder(call, dir)
    throw new Rm3Error('USAGE', `"${source}" is one argument too many`)
  }
  if (source === null) throw new Rm3Error('USAGE', 'which backup shall be verified?')
  const found = await stat(source).catch(() => null)
  if (found !== null && !found.isDirectory()) {
    throw new Rm3Error('SOURCE_NOT_FOUND', `${source} is no folder`, { source })
  }
  return verifyBackupFolder(call, source)
}
