import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { Rm3Error } from '../../errors.ts'

/** Characters of what git says on stderr that an error repeats. */
const SAID_MAX = 2_000

/**
 * Settings of every call: nothing of a repository's own may have programs run, ask, or change what is printed. They come from the
 * command line, so they win over the repository's.
 */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.quotePath=false',
  'core.pager=cat',
  'log.showSignature=false',
  'protocol.allow=never',
  'protocol.file.allow=always',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
]

/** A running git. `ended` rejects when it does not end well, and must be waited for. */
export interface RunningGit {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly ended: Promise<void>
  /** Ends it at once. */
  kill(): void
}

/** How a call of git goes. */
export interface GitCall {
  readonly signal: AbortSignal | undefined
  /** More of the environment, as dates of commits. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts git. Anything it is waiting to be told comes over `stdin`.
 *
 * @throws PROGRAM_MISSING, by `ended`; SOURCE_DAMAGED with what git said when it fails
 */
export function startGit(args: readonly string[], { signal, env = {} }: GitCall): RunningGit {
  const settings = SETTINGS.flatMap(setting => ['-c', setting])
  const child = spawn('git', [...settings, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...inherited(), ...env },
    ...(signal && { signal, killSignal: 'SIGKILL' }),
  })
  child.stdin.on('error', () => {}) // git may end without reading; `ended` says why
  const ended = endOf(child, args[0] === '-C' ? (args[2] ?? '') : (args[0] ?? ''))
  ended.catch(() => {}) // whoever reads stdout first waits for it only then
  return { stdin: child.stdin, stdout: child.stdout, ended, kill: () => child.kill('SIGKILL') }
}

/** What git prints, as bytes. @throws as startGit */
export async function runGit(args: readonly string[], call: GitCall): Promise<Buffer> {
  const git = startGit(args, call)
  git.stdin.end()
  const parts: Buffer[] = []
  for await (const part of git.stdout) parts.push(part as Buffer)
  await git.ended
  return Buffer.concat(parts)
}

/** The environment without what would lead git elsewhere, or have it ask somebody or fetch something. */
function inherited(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))
  return {
    ...Object.fromEntries(kept),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
  }
}

function endOf(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  verb: string,
): Promise<void> {
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < SAID_MAX) said += text.slice(0, SAID_MAX)
  })
  return new Promise((resolve, reject) => {
    child.on('error', cause => {
      const isMissing = 'code' in cause && cause.code === 'ENOENT'
      reject(isMissing ? missing(cause) : cause)
    })
    child.on('close', code => {
      if (code === 0) return resolve()
      if (/no space left on device/i.test(said)) return reject(diskFull(said))
      const text = said.trim() || `it ended with ${code ?? 'a signal'}`
      reject(new Rm3Error('SOURCE_DAMAGED', `git ${verb}: ${text}`, { verb }))
    })
  })
}

function diskFull(said: string): Rm3Error {
  return new Rm3Error('DISK_FULL', `there is no space left: ${said.trim()}`)
}

function missing(cause: unknown): Rm3Error {
  return new Rm3Error('PROGRAM_MISSING', 'git is not installed, or not in PATH; install it first', {
    program: 'git',
    cause,
  })
}
