import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import { type GitCall, type RunningGit, runGit, startGit } from './run.ts'

/** A repository that is being read, through a bare clone in a temporary folder: of the one that was named, no setting counts. */
export interface Repository {
  /** The commit whose history is read, in hexadecimal. */
  readonly head: string
  /** What led to it: a branch, or HEAD. */
  readonly ref: string
  run(args: readonly string[]): Promise<Buffer>
  start(args: readonly string[]): RunningGit
  /** Removes the clone. */
  close(): Promise<void>
}

/**
 * Opens a work tree, a bare repository or a bundle for reading. Objects of a folder are not copied.
 *
 * @param ref what to read; null for HEAD, or else the one branch there is, or `main` or `master`
 * @throws SOURCE_NOT_FOUND when there is no such thing, or no such ref; SOURCE_DAMAGED; PROGRAM_MISSING
 */
export async function openRepository(
  source: string,
  options: { readonly ref: string | null; readonly signal?: AbortSignal | undefined },
): Promise<Repository> {
  const call: GitCall = { signal: options.signal }
  const folder = await mkdtemp(join(tmpdir(), 'rm3-git-'))
  const close = () => rm(folder, { recursive: true, force: true })
  try {
    await clone(resolve(source), folder, call)
    const inside = ['-C', folder]
    const run = (args: readonly string[]) => runGit([...inside, ...args], call)
    const start = (args: readonly string[]) => startGit([...inside, ...args], call)
    const { head, ref } = await findHead(run, options.ref)
    return { head, ref, run, start, close }
  } catch (thrown) {
    await close()
    throw thrown
  }
}

async function clone(source: string, folder: string, call: GitCall): Promise<void> {
  const found = await stat(source).catch(() => null)
  if (found === null) {
    throw new Rm3Error('SOURCE_NOT_FOUND', `${source} does not exist`, { source })
  }
  const shared = found.isDirectory() ? ['--shared'] : []
  const args = ['clone', '--quiet', '--bare', '--template=', ...shared, '--', source, folder]
  try {
    await runGit(args, call)
  } catch (thrown) {
    call.signal?.throwIfAborted()
    if (!isRm3Error(thrown, 'SOURCE_DAMAGED')) throw thrown
    throw new Rm3Error(
      'SOURCE_DAMAGED',
      `${source} cannot be read as a git repository: ${thrown.message}`,
      {
        source,
        cause: thrown,
      },
    )
  }
}

type Run = Repository['run']

async function findHead(run: Run, wanted: string | null): Promise<{ head: string; ref: string }> {
  if (wanted !== null) return { head: await commitAt(run, wanted), ref: wanted }
  const listed = await run(['for-each-ref', '--format=%(refname:short)', 'refs/heads/'])
  const branches = listed
    .toString('utf8')
    .split('\n')
    .filter(name => name !== '')
  for (const ref of ['HEAD', ...(branches.length === 1 ? branches : []), 'main', 'master']) {
    const head = await findCommit(run, ref)
    if (head !== null) return { head, ref }
  }
  throw new Rm3Error(
    'SOURCE_NOT_FOUND',
    branches.length === 0
      ? 'the repository has no commits'
      : `the repository has no HEAD; name a branch with --ref: ${branches.slice(0, 20).join(', ')}`,
    { branches: branches.slice(0, 20) },
  )
}

async function commitAt(run: Run, ref: string): Promise<string> {
  const head = ref.startsWith('-') ? null : await findCommit(run, ref)
  if (head !== null) return head
  throw new Rm3Error('SOURCE_NOT_FOUND', `the repository has no branch, tag or commit ${ref}`, {
    ref,
  })
}

async function findCommit(run: Run, ref: string): Promise<string | null> {
  try {
    const printed = await run([
      'rev-parse',
      '--verify',
      '--quiet',
      '--end-of-options',
      `${ref}^{commit}`,
    ])
    return printed.toString('utf8').trim()
  } catch (thrown) {
    if (isRm3Error(thrown, 'SOURCE_DAMAGED')) return null
    throw thrown
  }
}
