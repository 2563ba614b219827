import { admin } from './admin.ts'
import { backup } from './backup.ts'
import type { Command, Group } from './command.ts'
import { dump } from './dump.ts'
import { front, workers } from './front.ts'
import { load } from './load.ts'
import { mv } from './mv.ts'
import { rm } from './rm.ts'

/** The programs by themselves, in the order of the reference. */
export const PROGRAMS: readonly (Command | Group)[] = [
  front,
  workers,
  backup,
  load,
  dump,
  mv,
  rm,
  admin,
]

/** `rm3 <verb>`: `rm3 load` is `rm3load`, `rm3 admin adduser` and `rm3 adduser` are `rm3admin adduser`. */
export const rm3: Group = {
  name: 'rm3',
  summary: 'everything of rm3 in one program',
  commands: [
    ...[front, workers, backup, load, dump, mv, rm].map(verbOf),
    ...admin.commands.map(command => ({ ...command, name: `admin ${command.name}` })),
    ...admin.commands.map(command => ({ ...command, alias: true as const })),
  ],
  details: 'The word admin may be left out: rm3 status is rm3 admin status.',
}

function verbOf(command: Command): Command {
  return { ...command, name: command.name.slice('rm3'.length) }
}
