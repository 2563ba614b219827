import type { Json } from '../codec/json.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Progress } from './progress.ts'

export interface Argument {
  /** In capitals, as help shows it. */
  readonly name: string
  readonly summary: string
  readonly optional?: true
  /** The last one may be given several times; they come as one text, with spaces between. */
  readonly repeated?: true
}

export interface Option {
  readonly summary: string
  /** One letter. */
  readonly short?: string
  /** What help calls the value; an option without one is a flag. */
  readonly value?: string
  /** It may be given several times. */
  readonly repeated?: true
}

/** What a command prints: `text` for people, `data` with --json. */
export interface Outcome {
  readonly text: string
  readonly data: Json
  /** When not 0: the result says what did not succeed. */
  readonly exitCode?: ExitCode
}

/** One command: the same definition serves its own program, `rm3 <verb>`, help and the reference in docs. */
export interface Command {
  /** Words that call it: 'rm3dump', or for one of a group 'token create'. */
  readonly name: string
  readonly summary: string
  /** Paragraphs for --help, beyond arguments and options. */
  readonly details?: string
  /** The name is a second one of a command that the list of its group has already. */
  readonly alias?: true
  readonly arguments?: readonly Argument[]
  /** Commands beside it, called by a word behind its name: 'verify' of rm3backup. */
  readonly verbs?: readonly Command[]
  /** By long name. `help`, `version` and `json` are every command's. */
  readonly options?: Readonly<Record<string, Option>>
  /** Whether its work is what goes to stdout, so that nothing else may, not with --json either. */
  readonly takesStdout?: (call: Call) => boolean
  /** @returns null when nothing is to be printed */
  readonly run: (call: Call) => Promise<Outcome | null>
}

/** A program with several commands: `rm3admin`. */
export interface Group {
  readonly name: string
  readonly summary: string
  readonly commands: readonly Command[]
  /** Paragraphs for --help, behind the list of commands. */
  readonly details?: string
}

/** One call of a command: what was given, and the ways to the one who called. */
export interface Call {
  /** As it was called: 'rm3admin adduser'. */
  readonly name: string
  /** A required argument by its name. */
  argument(name: string): string
  findArgument(name: string): string | null
  /** The value of an option; null when it was not given. */
  option(name: string): string | null
  /** The values of an option that may be given several times; [] when it was not given. */
  options(name: string): readonly string[]
  flag(name: string): boolean
  readonly terminal: Terminal
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal
  /** A line for the person who called, on stderr. */
  say(line: string): void
  /** A line on stdout, for what runs until it is stopped and so has no result. */
  tell(line: string): void
  /** Shows how far a long work is; only on a terminal, and only after a second. */
  progress(label: string): Progress
}

/** The world around a program. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  help: { short: 'h', summary: 'says how the command is called' },
  version: { summary: 'prints the version of rm3' },
  json: { summary: 'prints the result as JSON' },
}

/** Whether a program is a group of commands. */
export function isGroup(program: Command | Group): program is Group {
  return 'commands' in program
}
