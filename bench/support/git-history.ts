import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One change of one file in a git history, oldest first. */
export interface FileChange {
  readonly kind: 'write' | 'move' | 'delete'
  readonly path: string
  /** Of a move: where it was. */
  readonly from?: string
  /** Of a write, or of a move that changed the text too. */
  readonly text?: string
  readonly at: string
  readonly author: string
}

/** The bundle of a documentation site's history, or null when the test data is not there. */
export function docsBundle(): string | null {
  const folder = process.env['RM3_TEST_DATA'] ?? join(process.cwd(), '..', 'shared', 'data')
  const bundle = join(folder, 'fastify-docs.bundle')
  return existsSync(bundle) ? bundle : null
}

/** Every change of a Markdown file in a bundle's history, merges left out, and the size of the pack git needs for it. */
export async function readHistory(
  bundle: string,
): Promise<{ changes: FileChange[]; packBytes: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'rm3-history-'))
  try {
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
    execFileSync('git', ['clone', '-q', '--bare', bundle, folder])
    git('gc', '-q', '--aggressive')
    const packBytes = Number(/size-pack: (\d+)/.exec(git('count-objects', '-v'))?.[1] ?? 0) * 1024
    const log = git(
      'log',
      '--all',
      '--reverse',
      '--topo-order',
      '--no-merges',
      '--raw',
      '--no-abbrev',
      '-M',
      '-z',
      '--format=%x01%aI%x02%an',
    )
    const parsed = parseLog(log)
    const texts = await readBlobs(folder, [...new Set(parsed.map(change => change.blob))])
    return {
      changes: parsed.map(({ blob, ...change }) => withText(change, texts.get(blob))),
      packBytes,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Parsed = FileChange & { blob: string }

function parseLog(log: string): Parsed[] {
  return log
    .split('\x01')
    .slice(1)
    .flatMap(commit => {
      const [head = '', ...fields] = commit.split('\0')
      const [at = '', author = ''] = head.split('\x02')
      return parseFields(fields, { at: new Date(at).toISOString(), author })
    })
}

/** Fields of `git log --raw -z`: `:modes blobs status`, path, and for a rename the new path. */
function parseFields(fields: string[], commit: { at: string; author: string }): Parsed[] {
  const changes: Parsed[] = []
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]?.trimStart() ?? ''
    if (!field.startsWith(':')) continue
    const [, , before = '', after = '', status = ''] = field.split(' ')
    const path = fields[++index] ?? ''
    const target = /^[RC]/.test(status) ? (fields[++index] ?? '') : path
    if (!target.endsWith('.md')) continue
    if (status.startsWith('D')) changes.push({ kind: 'delete', path, blob: '', ...commit })
    else if (status.startsWith('R')) {
      const blob = before === after ? '' : after
      changes.push({ kind: 'move', from: path, path: target, blob, ...commit })
    } else changes.push({ kind: 'write', path: target, blob: after, ...commit })
  }
  return changes
}

function withText(change: Omit<Parsed, 'blob'>, text: string | undefined): FileChange {
  return text === undefined ? change : { ...change, text }
}

async function readBlobs(folder: string, ids: string[]): Promise<Map<string, string>> {
  const child = spawn('git', ['-C', folder, 'cat-file', '--batch'])
  child.stdin.end(`${ids.filter(id => id !== '').join('\n')}\n`)
  const chunks: Buffer[] = []
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  const texts = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf(10, at)
    const [id = '', , size = '0'] = bytes.toString('utf8', at, line).split(' ')
    texts.set(id, bytes.toString('utf8', line + 1, line + 1 + Number(size)))
    at = line + 2 + Number(size)
  }
  return texts
}
