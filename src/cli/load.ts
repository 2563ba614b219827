import { Rm3Error } from '../errors.ts'
import type { Call, Command } from './command.ts'
import { loadFolder } from './load-folder.ts'
import { GIT_OPTIONS, loadRepository } from './load-git.ts'
import { loadPage } from './load-page.ts'

/** `rm3load`: a backup into an empty site, or one page into any. */
export const load: Command = {
  name: 'rm3load',
  summary: 'loads a backup or a git history, or one page',
  options: {
    directory: {
      short: 'd',
      value: 'DIR',
      summary:
        'a backup in a folder, of this rm3 or of 0.2 to 0.5, into an empty site, with its whole history',
    },
    file: { short: 'f', value: 'FILE', summary: 'one page, as rm3dump writes it; - is stdin' },
    path: {
      short: 'p',
      value: 'PATH',
      summary: 'with -d: only the pages at and below it; with -f: where the page goes',
    },
    'dry-run': { summary: 'checks and does everything, then takes it back' },
    ...GIT_OPTIONS,
    nohistory: { summary: 'only the present: each page as one revision' },
  },
  details: `A backup is read and checked whole before anything is written, and written in one transaction: it is loaded and proved,
or the site stays as empty as it was, whatever happens on the way. After a crash, run the same command again.
A git history goes into an empty site, or with --at-path into any; loaded again it brings what is new.
Times, authors, revision ids and passwords are those of the backup. Exit codes: 3 the source is damaged or
incomplete, 10 there is no such source, 14 the site is not empty (or the path is taken).`,
  run: call => {
    const { repository, folder, file } = sourceOf(call)
    if (repository !== null) return loadRepository(call, repository)
    if (folder !== null) return loadFolder(call, folder)
    return loadPage(call, file)
  },
}

interface Source {
  readonly repository: string | null
  readonly folder: string | null
  readonly file: string
}

function sourceOf(call: Call): Source {
  const repository = call.option('git')
  const folder = call.option('directory')
  const file = call.option('file')
  if ([repository, folder, file].filter(source => source !== null).length !== 1) {
    throw new Rm3Error(
      'USAGE',
      'name one source: -d DIR for a backup, -f FILE for one page, or --git REPO for a git history',
    )
  }
  return { repository, folder, file: file ?? '-' }
}
