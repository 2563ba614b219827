import { type GitWritten, writeGit } from '../backup/git/write.ts'
import { openBlobStore } from '../blobs/store.ts'
import type { Json } from '../codec/json.ts'
import { Rm3Error } from '../errors.ts'
import { counted } from '../scheme/words.ts'
import type { Call, Option, Outcome } from './command.ts'
import { withSite } from './open.ts'

/** Options of a backup as a git repository. */
export const GIT_BACKUP_OPTIONS: Readonly<Record<string, Option>> = {
  git: {
    summary: 'DIR becomes a git repository of what readers could see, a commit for each save',
  },
}

/** Writes the site as a git repository. @throws what `writeGit` throws */
export async function backupGit(call: Call, dir: string): Promise<Outcome> {
  const other = ['path', 'at', 'concurrency'].find(name => call.option(name) !== null)
  const flag = ['snapshot', 'resume', 'allow-incomplete'].find(name => call.flag(name))
  if (other !== undefined || flag !== undefined) {
    throw new Rm3Error('USAGE', `--${other ?? flag} does not go with --git`)
  }
  const started = Date.now()
  const progress = call.progress('commits')
  try {
    const written = await withSite(call, async (site, config) =>
      writeGit(
        site.db,
        {
          public: await openBlobStore(config.publicBlobsFolder),
          private: await openBlobStore(config.privateBlobsFolder),
        },
        {
          dir,
          signal: call.signal,
          onProgress: (done, total) => progress.update(done, total),
        },
      ),
    )
    return outcomeOf(written, Date.now() - started)
  } finally {
    progress.end()
  }
}

function outcomeOf({ dir, position, commits, commit }: GitWritten, ms: number): Outcome {
  const text = [
    `Wrote ${dir}, a git repository.`,
    `  ${counted(commits, 'commit')}${commit === null ? '' : `, the last is ${commit}`}`,
    `  position ${position}; drafts, rights, passwords and settings are no part of it`,
  ].join('\n')
  return { text, data: { dir, git: true, position, commits, commit, ms } as Json }
}
