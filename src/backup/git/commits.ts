import { Rm3Error } from '../../errors.ts'
import type { Repository } from './repository.ts'
import { decodeText } from './texts.ts'

/** One file in the difference of a commit to its first parent. */
export interface FileChange {
  /** Where it is after the commit, or was when it is deleted. */
  readonly file: string
  /** Of a rename: where it was. */
  readonly from: string | null
  /** What it is afterwards; null when it is gone or is no file: a link, another repository. */
  readonly blob: string | null
  /** Mode of what is there afterwards: `100644`, `120000` (a link), `160000` (another repository), `000000` (nothing). */
  readonly mode: string
}

/** A commit, and what it changed. */
export interface Commit {
  readonly id: string
  readonly parents: readonly string[]
  readonly author: { readonly name: string; readonly email: string }
  /** When its author made it, and when it was put where it is: seconds since 1970. */
  readonly authored: number
  readonly committed: number
  readonly message: string
  readonly changes: readonly FileChange[]
}

/** Which commits are read. */
export interface CommitsWanted {
  /** Folder whose files alone are looked at; '' for all. */
  readonly subdir: string
  /** Only the first parent of each merge is followed. */
  readonly firstParent: boolean
}

const FIELDS = ['%H', '%P', '%aN', '%aE', '%at', '%ct', '%B']
const COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
/** Bytes between two NUL: longer is no message that anybody wrote. */
const TOKEN_BYTES_MAX = 16 * 1024 * 1024
const FILE_MODE = /^100[67][0-7][0-7]$/

/**
 * Commits and what each changed, in the order that is asked for. The difference of a merge is that to its first parent.
 *
 * @throws SOURCE_DAMAGED
 */
export async function* readCommits(
  repository: Repository,
  ids: readonly string[],
  { subdir }: CommitsWanted,
): AsyncGenerator<Commit> {
  const git = repository.start([
    'log',
    ...['--stdin', '--no-walk=unsorted'],
    ...['--raw', '--no-abbrev', '-z', '-M', '-l2000', '--no-ext-diff'],
    ...['--diff-merges=first-parent', '--encoding=UTF-8', '--no-color', '--root', '--no-notes'],
    `--format=${FIELDS.join('%x00')}%x00`,
    ...(subdir === '' ? [] : ['--full-history', '--sparse']),
    '--',
    ...(subdir === '' ? [] : [`:(top,literal)${subdir}`]),
  ])
  git.stdin.end(`${ids.join('\n')}\n`)
  yield* parseLog(tokensOf(git.stdout), subdir)
  await git.ended
}

async function* parseLog(tokens: AsyncIterable<Buffer>, subdir: string): AsyncGenerator<Commit> {
  let header: string[] = []
  let changes: FileChange[] = []
  let entry: { fields: string[]; paths: string[] } | null = null
  for await (const token of tokens) {
    if (entry !== null) {
      entry.paths.push(decodeText(token).text)
      if (entry.paths.length === pathsOf(entry.fields)) {
        changes.push(...changesOf(entry.fields, entry.paths, subdir))
        entry = null
      }
    } else if (header.length > 0 && header.length < FIELDS.length) {
      header.push(decodeText(token).text)
    } else {
      const text = token.toString('latin1').replace(/^\n+/, '')
      if (text.startsWith(':')) entry = { fields: text.slice(1).split(' '), paths: [] }
      else if (text !== '') {
        if (header.length > 0) yield commitOf(header, changes)
        if (!COMMIT_ID.test(text)) throw damaged(`a commit is called ${text.slice(0, 60)}`)
        header = [text]
        changes = []
      }
    }
  }
  if (header.length > 0) yield commitOf(header, changes)
}

function pathsOf(fields: readonly string[]): number {
  return /^[RC]/.test(fields[4] ?? '') ? 2 : 1
}

function changesOf(
  fields: readonly string[],
  paths: readonly string[],
  subdir: string,
): FileChange[] {
  const [, mode = '', , blob = '', status = ''] = fields
  const [first = '', second] = paths
  const inside = (path: string) =>
    subdir === '' ? path : path.startsWith(`${subdir}/`) ? path.slice(subdir.length + 1) : null
  const file = inside(second ?? first)
  const from = status.startsWith('R') ? inside(first) : null
  if (file === null) return []
  return [{ file, from, mode, blob: FILE_MODE.test(mode) ? blob : null }]
}

function commitOf(header: readonly string[], changes: readonly FileChange[]): Commit {
  const [
    id = '',
    parents = '',
    name = '',
    email = '',
    authored = '',
    committed = '',
    message = '',
  ] = header
  return {
    id,
    parents: parents.split(' ').filter(parent => parent !== ''),
    author: { name, email },
    authored: Number(authored),
    committed: Number(committed),
    message,
    changes,
  }
}

/** What stands between NUL bytes. */
async function* tokensOf(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let kept: Buffer[] = []
  let size = 0
  for await (const part of stream) {
    const bytes = part as Buffer
    let from = 0
    for (let nul = bytes.indexOf(0); nul >= 0; nul = bytes.indexOf(0, from)) {
      const end = bytes.subarray(from, nul)
      yield kept.length === 0 ? end : Buffer.concat([...kept, end])
      kept = []
      size = 0
      from = nul + 1
    }
    if (from < bytes.length) kept.push(bytes.subarray(from))
    size += bytes.length - from
    if (size > TOKEN_BYTES_MAX) throw damaged('a message or name of the history is too long')
  }
  if (size > 0) yield Buffer.concat(kept)
}

function damaged(what: string): Rm3Error {
  return new Rm3Error('SOURCE_DAMAGED', `what git prints cannot be understood: ${what}`)
}
