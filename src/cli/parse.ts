import { parseArgs } from 'node:util'
import { Rm3Error } from '../errors.ts'
import { COMMON_OPTIONS, type Command, type Group, isGroup } from './command.ts'

/** What stood on the command line. */
export interface Parsed {
  readonly values: Readonly<Record<string, string | readonly string[] | boolean | undefined>>
  readonly given: Readonly<Record<string, string>>
}

/**
 * The command that the words begin with, and the words left.
 *
 * @returns `command` null when a group is asked for as a whole (no word, or an option first)
 * @throws USAGE for a word that is none of its commands
 */
export function chooseCommand(
  program: Command | Group,
  words: readonly string[],
): { command: Command | null; name: string; rest: readonly string[] } {
  if (!isGroup(program)) return chooseVerb(program, program.name, words)
  const found = program.commands
    .filter(({ name }) => name.split(' ').every((word, index) => words[index] === word))
    .sort((one, other) => other.name.length - one.name.length)[0]
  if (found !== undefined) {
    const name = `${program.name} ${found.name}`
    return chooseVerb(found, name, words.slice(found.name.split(' ').length))
  }
  const [first] = words
  if (first === undefined || first.startsWith('-')) {
    return { command: null, name: program.name, rest: words }
  }
  const known = program.commands.map(({ name }) => name)
  const near = known.filter(name => name.startsWith(first))
  const hint = near.length > 0 ? `; there is ${near.join(', ')}` : ''
  throw new Rm3Error('USAGE', `${program.name} has no command "${first}"${hint}`, { word: first })
}

function chooseVerb(command: Command, name: string, words: readonly string[]) {
  const verb = command.verbs?.find(known => known.name === words[0])
  if (verb === undefined) return { command, name, rest: words }
  return { command: verb, name: `${name} ${verb.name}`, rest: words.slice(1) }
}

/** Reads arguments and options as the command declares them. @throws USAGE */
export function parseCall(command: Command, words: readonly string[]): Parsed {
  const declared = Object.entries({ ...command.options, ...COMMON_OPTIONS })
  const options = Object.fromEntries(
    declared.map(([long, { short, value, repeated }]) => [
      long,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short !== undefined && { short }),
        ...(repeated && { multiple: true }),
      },
    ]),
  )
  const { values, positionals } = parsed(words, options)
  if (values['help'] === true || values['version'] === true) return { values, given: {} }
  return { values, given: named(command, positionals) }
}

function parsed(
  words: readonly string[],
  options: NonNullable<Parameters<typeof parseArgs>[0]>['options'],
) {
  try {
    return parseArgs({ args: [...words], options: options ?? {}, allowPositionals: true }) as {
      values: Record<string, string | string[] | boolean | undefined>
      positionals: string[]
    }
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const [first = message] = message.split(/\. To specify|\n/)
    throw new Rm3Error('USAGE', first.replace(/\.$/, ''), { cause: thrown })
  }
}

function named(command: Command, positionals: readonly string[]): Record<string, string> {
  const wanted = command.arguments ?? []
  const given: Record<string, string> = {}
  for (const [index, { name, optional, repeated }] of wanted.entries()) {
    const value = repeated ? restOf(positionals, index) : positionals[index]
    if (value !== undefined) given[name] = value
    else if (!optional) throw new Rm3Error('USAGE', `${name} is missing`, { argument: name })
  }
  const surplus = wanted.at(-1)?.repeated ? undefined : positionals[wanted.length]
  if (surplus !== undefined) {
    throw new Rm3Error('USAGE', `"${surplus}" is one argument too many`, { argument: surplus })
  }
  return given
}

function restOf(positionals: readonly string[], index: number): string | undefined {
  const rest = positionals.slice(index)
  return rest.length === 0 ? undefined : rest.join(' ')
}
