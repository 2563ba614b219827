import { type GitLoaded, loadGit } from '../backup/git/load.ts'
import { openBlobStore } from '../blobs/store.ts'
import type { Json } from '../codec/json.ts'
import { Rm3Error } from '../errors.ts'
import { counted } from '../scheme/words.ts'
import type { Call, Option, Outcome } from './command.ts'
import { importLines } from './import-lines.ts'
import { withSite } from './open.ts'
import type { Progress } from './progress.ts'

/** Options of `rm3load` that go with --git. */
export const GIT_OPTIONS: Readonly<Record<string, Option>> = {
  git: {
    value: 'REPO',
    summary:
      'a git history of Markdown, HTML and text files: a work tree, bare repository or bundle',
  },
  subdir: { value: 'D', summary: 'with --git: only the files of this folder' },
  'at-path': {
    value: 'PATH',
    summary: 'with --git: where its topmost folder goes, also in a site that has other pages',
  },
  ref: { value: 'REF', summary: 'with --git: the branch, tag or commit to read instead of HEAD' },
  'first-parent': {
    summary: 'with --git: only the main line; each merge is one revision by whoever merged',
  },
}

const WARNINGS_SHOWN = 20

/** Loads a git history. @throws what `loadGit` throws */
export async function loadRepository(call: Call, source: string): Promise<Outcome> {
  demandNoOther(call)
  const started = Date.now()
  const shown = new Map<string, Progress>()
  const dryRun = call.flag('dry-run')
  try {
    const loaded = await withSite(call, async (site, config) =>
      loadGit(site, {
        source,
        ref: call.option('ref'),
        subdir: call.option('subdir') ?? '',
        atPath: call.option('at-path'),
        firstParent: call.flag('first-parent'),
        stores: dryRun
          ? null
          : {
              public: await openBlobStore(config.publicBlobsFolder),
              private: await openBlobStore(config.privateBlobsFolder),
            },
        dryRun,
        signal: call.signal,
        onProgress: (step, done, total) => {
          const progress = shown.get(step) ?? call.progress(step)
          shown.set(step, progress)
          progress.update(done, total)
        },
      }),
    )
    return outcomeOf(loaded, { source, dryRun, ms: Date.now() - started })
  } finally {
    for (const progress of shown.values()) progress.end()
  }
}

function demandNoOther(call: Call): void {
  const other =
    ['path'].find(name => call.option(name) !== null) ??
    (call.flag('nohistory') ? 'nohistory' : null)
  if (other === null) return
  throw new Rm3Error('USAGE', `--${other} does not go with --git; --at-path says where pages go`)
}

function outcomeOf(
  loaded: GitLoaded,
  { source, dryRun, ms }: { source: string; dryRun: boolean; ms: number },
): Outcome {
  const { ref, commit, commits, path, done, warnings, warningCount, leftOut } = loaded
  const { proof, head, importId } = done
  const [known, passedOver] = 'known' in done ? [done.known, done.passedOver] : [0, []]
  const data = {
    ...{
      loaded: !dryRun,
      dryRun,
      source: { repository: source, ref, commit, commits },
      path,
      importId,
    },
    ...{ proof, known, passedOver, leftOut, warnings, warningCount, ms },
    head: { position: head.position, chain: head.chain, epoch: head.epoch },
  }
  const others = Object.entries(leftOut).map(([kind, count]) => `${count} ${kind}`)
  const text = [
    `${dryRun ? 'Dry run: nothing was kept of' : 'Loaded'} ${source} (${ref}, ${commit.slice(0, 12)}, ${counted(commits, 'commit')}) at ${path}.`,
    `  ${counted(proof.documents, 'revision')}, ${counted(proof.pages, 'page')}, ${counted(proof.blobs, 'file')}; ${counted(proof.events, 'event')}, ${known} that were there before`,
    `  compared with the history: every event, every document by its hash, what the site shows of them`,
    `  log head ${head.position}, chain ${head.chain}`,
    ...importLines(importId),
    ...(others.length > 0 ? [`  left out: ${others.slice(0, 12).join(', ')}`] : []),
    ...listed('Passed over', passedOver),
    ...listed(
      `Warnings (${warningCount})`,
      warnings.map(({ file, message }) => `${file} ${message}`),
    ),
  ]
  return { text: text.join('\n'), data: data as unknown as Json }
}

function listed(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const more = lines.length - WARNINGS_SHOWN
  return [
    '',
    `${title}:`,
    ...lines.slice(0, WARNINGS_SHOWN).map(line => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more (--json tells up to 1000)`] : []),
  ]
}
