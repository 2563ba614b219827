import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Rm3Error } from '../errors.ts'
import { READING_KEYS, WRITING_KEYS } from './archive-keys.ts'
import { backupArchive, verifyArchiveFile } from './backup-archive.ts'
import { backupFolder, FOLDER_OPTIONS } from './backup-folder.ts'
import { forget } from './backup-forget.ts'
import { backupGit, GIT_BACKUP_OPTIONS } from './backup-git.ts'
import { rehearse, scheduled } from './backup-scheduled.ts'
import type { Call, Command, Outcome } from './command.ts'
import { EXTENT_OPTIONS, verifyBackupFolder } from './verify-folder.ts'

const ARCHIVE_OPTIONS: NonNullable<Command['options']> = {
  archive: {
    value: 'FILE',
    summary: 'one compressed stream instead, into a file that must not exist; - is stdout',
  },
  since: {
    value: 'POSITION',
    summary: 'with --archive: only what came behind this position of the log',
  },
  ...WRITING_KEYS,
}
/** Options of folders that archives have too. */
const ALSO_OF_ARCHIVES = ['allow-incomplete', 'at']

const verify: Command = {
  name: 'verify',
  summary: 'proves that a backup is whole; needs no database',
  details: `Reads all of it. Of a folder each file is named that is damaged, missing or too many; of an archive the first damage, with the place
where it begins: every frame, every file and every event has a hash, and all are chained. Of large folders --quick tells at once whether a copy of one
came to its end, and --subset 1/7 to 7/7, one a day, reads everything within a week. Exit codes: 3 something is missing,
12 no key opens it, 13 it is damaged, 15 it is of a newer rm3.`,
  arguments: [{ name: 'BACKUP', summary: 'a folder, or an archive; - is an archive on stdin' }],
  options: { ...EXTENT_OPTIONS, ...READING_KEYS },
  run: call => verifyBackup(call, call.argument('BACKUP')),
}

/** `rm3backup`: a site into a folder or an archive; and whether such a backup is whole. */
export const backup: Command = {
  name: 'rm3backup',
  summary: 'writes a backup, or verifies one',
  arguments: [
    { name: 'DIR', summary: 'folder of the backup, which must not exist', optional: true },
  ],
  options: { ...FOLDER_OPTIONS, ...GIT_BACKUP_OPTIONS, ...ARCHIVE_OPTIONS },
  verbs: [verify, forget, scheduled, rehearse],
  details: `The backup is of one moment; the site goes on meanwhile. DIR gets its name when all of it is on disk; before that it is
DIR.partial, which --resume goes on with. The same holds for FILE of an archive, but for --resume. Exit codes: 3 something is missing,
13 the log is damaged, 14 DIR or FILE is there already, 28 no space.`,
  takesStdout: call => call.option('archive') === '-',
  run: call => run(call),
}

async function run(call: Call): Promise<Outcome | null> {
  const dir = call.findArgument('DIR')
  const file = call.option('archive')
  if ((dir === null) === (file === null)) {
    throw new Rm3Error('USAGE', 'name the folder to be written, or --archive FILE')
  }
  if (dir === '-') throw new Rm3Error('USAGE', 'a folder cannot go to stdout: --archive - can')
  const ofFolders = { ...FOLDER_OPTIONS, ...GIT_BACKUP_OPTIONS }
  const others = Object.keys(file === null ? ARCHIVE_OPTIONS : ofFolders)
  const odd = others.find(name => !ALSO_OF_ARCHIVES.includes(name) && isGiven(call, name))
  if (odd !== undefined) {
    const kind = file === null ? 'a folder' : 'an archive'
    throw new Rm3Error('USAGE', `--${odd} does not go with ${kind}`)
  }
  if (file !== null) return backupArchive(call, file)
  return call.flag('git') ? backupGit(call, dir ?? '') : backupFolder(call, dir ?? '')
}

function isGiven(call: Call, name: string): boolean {
  return call.flag(name) || call.option(name) !== null || call.options(name).length > 0
}

async function verifyBackup(call: Call, source: string): Promise<Outcome> {
  const found = await stat(resolve(call.terminal.cwd, source)).catch(() => null)
  if (found?.isDirectory()) return verifyBackupFolder(call, source)
  const odd = Object.keys(EXTENT_OPTIONS).find(name => isGiven(call, name))
  if (odd !== undefined && (found !== null || source === '-')) {
    throw new Rm3Error('USAGE', `--${odd} goes with a folder: an archive is one stream, read whole`)
  }
  return verifyArchiveFile(call, source)
}
