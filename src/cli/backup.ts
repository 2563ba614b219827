import { Rm3Error } from '../errors.ts'
import type { Command } from './command.ts'

/** `rm3backup`: its place, until it is there. */
export const backup: Command = {
  name: 'rm3backup',
  summary: 'writes a backup (comes with a later release)',
  arguments: [
    { name: 'DIR', summary: 'folder of the backup, which must not exist', optional: true },
  ],
  details: 'Until then pg_dump of the database and a copy of the blob folders save everything.',
  run: async () => {
    throw new Rm3Error(
      'USAGE',
      'backups come with a later release; until then pg_dump of the database and a copy of the blob folders save everything',
    )
  },
}
