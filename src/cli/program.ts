import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../codec/json.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { fileError } from '../file-error.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import type { Call, Command, Group, Outcome, Terminal } from './command.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'
import { chooseCommand, type Parsed, parseCall } from './parse.ts'
import { progressOn } from './progress.ts'
import { folded, helpText, usageLine } from './usage.ts'

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const

/**
 * Runs a program with this process's arguments and sets its exit code.
 *
 * A signal asks the command to stop and waits for it, so that nothing is left half done; a second one ends the process at once.
 */
export async function runProgram(program: Command | Group): Promise<void> {
  const { stdin, stdout, stderr, env, argv } = process
  const stop = new AbortController()
  let stoppedBy: ExitCode | null = null
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (stoppedBy !== null) process.exit(code)
      stoppedBy = code
      stop.abort(new Interrupted())
    })
  }
  stdout.on('error', (thrown: NodeJS.ErrnoException) => {
    // who reads us may have gone: nothing is left to say then
    const error = fileError(thrown, 'standard output')
    if (thrown.code !== 'EPIPE') stderr.write(`${program.name}: ${sentenceOf(error)}\n`)
    process.exit(exitCodeOf(error))
  })
  const terminal = { stdin, stdout, stderr, env, cwd: process.cwd() }
  const code = await execute(program, argv.slice(2), { terminal, signal: stop.signal })
  process.exitCode = code === EXIT.failed && stoppedBy !== null ? stoppedBy : code
  // an open stdin or a socket that lingers must not keep a finished command
  stdin.destroy()
}

/** Thrown inside a command that was told to stop. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted')
    this.name = 'Interrupted'
  }
}

/** Runs a program and prints what comes of it. @returns its exit code; never rejects */
export async function execute(
  program: Command | Group,
  words: readonly string[],
  world: { terminal: Terminal; signal: AbortSignal },
): Promise<ExitCode> {
  const { terminal } = world
  let called = program.name
  let asked: Command | null = null
  // asked for even where the rest of the line cannot be read
  let asJson = words.includes('--json')
  try {
    const { command, name, rest } = chooseCommand(program, words)
    called = name
    asked = command
    if (command === null) return printGroup(program, rest, terminal)
    const parsed = parseCall(command, rest)
    if (parsed.values['help']) return print(terminal, helpText(command, name))
    if (parsed.values['version']) return print(terminal, version())
    const call = callOf(name, parsed, world)
    asJson = parsed.values['json'] === true && !command.takesStdout?.(call)
    const outcome = await command.run(call)
    return outcome === null ? EXIT.ok : report(outcome, parsed.values['json'] === true, terminal)
  } catch (caught) {
    const thrown = fileError(caught)
    if (asJson) print(terminal, JSON.stringify(failureOf(thrown, world.signal)))
    if (world.signal.aborted && !isRm3Error(thrown, 'USAGE')) {
      terminal.stderr.write(`${called}: interrupted${partly(thrown)}\n`)
      return EXIT.failed
    }
    terminal.stderr.write(`${called}: ${sentenceOf(thrown)}\n`)
    if (isRm3Error(thrown, 'USAGE')) terminal.stderr.write(usageHint(called, asked))
    return exitCodeOf(thrown)
  }
}

function callOf(
  name: string,
  { values, given }: Parsed,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Call {
  return {
    name,
    argument: argument => {
      const value = given[argument]
      if (value === undefined) throw new Error(`${name} declares no required ${argument}`)
      return value
    },
    findArgument: argument => given[argument] ?? null,
    option: option => {
      const value = values[option]
      return typeof value === 'string' ? value : null
    },
    options: option => {
      const value = values[option]
      return Array.isArray(value) ? value : []
    },
    flag: flag => values[flag] === true,
    terminal,
    signal,
    say: line => void terminal.stderr.write(`${line}\n`),
    tell: line => void terminal.stdout.write(`${line}\n`),
    progress: label => progressOn(terminal.stderr, label),
  }
}

function report(outcome: Outcome, asJson: boolean, terminal: Terminal): ExitCode {
  const text = asJson ? JSON.stringify(outcome.data) : outcome.text
  if (text !== '') print(terminal, text)
  return outcome.exitCode ?? EXIT.ok
}

function print(terminal: Terminal, text: string): ExitCode {
  terminal.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  return EXIT.ok
}

function printGroup(program: Command | Group, words: readonly string[], terminal: Terminal) {
  if (words.includes('--version')) return print(terminal, version())
  if (words.includes('--help') || words.includes('-h')) return print(terminal, helpText(program))
  const [option] = words
  throw new Rm3Error(
    'USAGE',
    option === undefined ? 'which command?' : `Unknown option '${option}'`,
  )
}

function usageHint(called: string, asked: Command | null): string {
  const usage = asked === null ? `${called} COMMAND …` : usageLine(asked, called)
  return `${folded(`Usage: ${usage}`)}\n${called} --help tells more.\n`
}

/** What `--json` tells of what came to nothing. `code` is null for a bug. */
function failureOf(thrown: unknown, { aborted }: AbortSignal): Json {
  if (aborted && !isRm3Error(thrown, 'USAGE')) {
    return { ok: false, error: { code: 'INTERRUPTED', message: 'interrupted' } }
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { ok: false, error: { code: thrown instanceof Rm3Error ? thrown.code : null, message } }
}

/** What to tell the one who called: an error of ours by its message and code, a bug with its stack. */
function sentenceOf(thrown: unknown): string {
  if (thrown instanceof Rm3Error) return `${thrown.message} (${thrown.code})${causeOf(thrown)}`
  if (!(thrown instanceof Error)) return String(thrown)
  if ('code' in thrown && 'syscall' in thrown) return thrown.message
  return `${thrown.stack ?? thrown.message}\nThis is a bug of rm3: please report it.`
}

function causeOf({ code, cause }: Rm3Error): string {
  const isAway = code === 'UNAVAILABLE' || code === 'DATABASE_NOT_FOUND'
  return isAway && cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : ''
}

function partly(thrown: unknown): string {
  return thrown instanceof Rm3Error ? `: ${thrown.message}` : '; nothing was changed'
}

/** The version of this rm3, as package.json says it. */
export function version(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')
  return String((JSON.parse(text) as { version?: unknown }).version)
}
