import { Rm3Error } from '../errors.ts'
import { ACCESS_OPTIONS, isWithoutAccess } from './access-lines.ts'
import { READING_KEYS } from './archive-keys.ts'
import type { Call, Command } from './command.ts'
import { withErasures } from './erasures.ts'
import { loadArchives } from './load-archive.ts'
import { loadFolder } from './load-folder.ts'
import { GIT_OPTIONS, loadRepository } from './load-git.ts'
import { LIVE_OPTIONS } from './load-into-live.ts'
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
    archive: {
      value: 'FILE',
      summary:
        'an archive, into an empty site, or its continuation; again for each that follows; - is stdin',
      repeated: true,
    },
    file: {
      short: 'f',
      value: 'FILE',
      summary: 'one page, as rm3dump writes it or without ids; - is stdin',
    },
    path: {
      short: 'p',
      value: 'PATH',
      summary: 'with -d or --archive: only the pages at and below it; with -f: where the page goes',
    },
    edited: {
      summary:
        'with -d: a backup that was changed by hand; says what differs, and begins the chain of hashes anew',
    },
    ...LIVE_OPTIONS,
    ...ACCESS_OPTIONS,
    'dry-run': {
      summary:
        'checks and does everything, then takes it back; with --into-live lists what would change',
    },
    ...GIT_OPTIONS,
    nohistory: { summary: 'only the present: each page as one revision' },
    erasures: {
      value: 'SOURCE',
      summary:
        'a newer backup, folder or archive, or a list of erasures (- is stdin): does them again behind the load',
    },
    ...READING_KEYS,
  },
  details: `A backup is read and checked whole before anything is written, and written in one transaction: it is loaded and proved,
or the site stays as empty as it was, whatever happens on the way. After a crash, run the same command again.
A git history goes into an empty site, or with --at-path into any; loaded again it brings what is new.
Times, authors, revision ids and passwords are those of the backup. Exit codes: 3 the source is incomplete, or
damaged where nothing proves it, 10 there is no such source, 12 no key opens it, 13 a backup is not what was written, 14 the site is not empty
(or the path is taken), 15 it is of a newer rm3.

A whole backup is the site with those who ran it: their passwords log in, and who had a right has it. --dry-run says who they are. Where it is not
yours, --without-access takes all of that back in the same transaction: what they were stays in the history, and you make accounts and grants of your own.

--into-live changes all pages it can or none: where one is in the way (a conflict, which --dry-run lists too) nothing is changed and the exit
code is 14, unless --skip-conflicts says to go on without it. Done twice, it changes nothing the second time. What takes longer than two seconds is written in
several transactions, so that others who save do not wait for long: ended in between it says how many pages came in, and the same again does the rest.

-p brings the histories of what is at and below PATH with their files, and says what they refer to that is not among them: pages above, users who wrote.

--dry-run leaves every row and file as it was, and finds what the load would find; where the site is not set up yet, it is, and is empty.

Archives bring the log as it was: positions, ids, hashes (but for -p, --nohistory and --into-live). It is read back and proved, then all projections are built, and every row must be
there as it was folded. A site that holds the archive already is left alone (14), but one in which a load was interrupted is finished.`,
  run: call => {
    const { repository, folder, archives, file } = sourceOf(call)
    if (call.flag('skip-conflicts') && !call.flag('into-live')) {
      throw new Rm3Error('USAGE', '--skip-conflicts goes with --into-live')
    }
    isWithoutAccess(call)
    if (repository !== null) return loadRepository(call, repository)
    if (folder === null && call.flag('edited')) {
      throw new Rm3Error('USAGE', '--edited goes with -d DIR')
    }
    if (file !== null && call.flag('into-live')) {
      throw new Rm3Error('USAGE', '--into-live goes with -d DIR or --archive FILE')
    }
    return withErasures(call, () => {
      if (folder !== null) return loadFolder(call, folder)
      return archives.length > 0 ? loadArchives(call, archives) : loadPage(call, file ?? '-')
    })
  },
}

interface Source {
  readonly repository: string | null
  readonly folder: string | null
  readonly archives: readonly string[]
  readonly file: string | null
}

function sourceOf(call: Call): Source {
  const repository = call.option('git')
  const folder = call.option('directory')
  const archives = call.options('archive')
  const file = call.option('file')
  const named = [repository !== null, folder !== null, archives.length > 0, file !== null]
  if (named.filter(Boolean).length !== 1) {
    throw new Rm3Error(
      'USAGE',
      'name one source: -d DIR or --archive FILE for a backup, -f FILE for one page, or --git REPO for a git history',
    )
  }
  return { repository, folder, archives, file }
}
