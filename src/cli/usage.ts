import { COMMON_OPTIONS, type Command, type Group, isGroup, type Option } from './command.ts'

/** The line that says how a command is called: `rm3mv FROM TO`. */
export function usageLine(command: Command, name: string = command.name): string {
  const options = Object.entries(command.options ?? {}).map(([long, option]) => {
    const flag = option.short === undefined ? `--${long}` : `-${option.short}`
    const more = option.repeated ? '…' : ''
    return option.value === undefined ? `[${flag}]` : `[${flag} ${option.value}]${more}`
  })
  const given = (command.arguments ?? []).map(({ name: word, optional, repeated }) => {
    const shown = repeated ? `${word}…` : word
    return optional ? `[${shown}]` : shown
  })
  return [name, ...given, ...options].join(' ')
}

/** All of --help. */
export function helpText(program: Command | Group, name: string = program.name): string {
  return isGroup(program) ? groupHelp(program, name) : commandHelp(program, name)
}

function groupHelp(group: Group, name: string): string {
  const rows = group.commands
    .filter(({ alias }) => alias === undefined)
    .map(command => [usageLine(command), command.summary] as [string, string])
  return [
    `Usage: ${name} COMMAND …`,
    '',
    sentence(group.summary),
    '',
    ...rows.flatMap(([usage, summary]) => [folded(`  ${usage}`), `      ${summary}`]),
    '',
    ...(group.details === undefined ? [] : [group.details]),
    `${name} COMMAND --help says more of one. --version prints the version of rm3.`,
  ].join('\n')
}

function commandHelp(command: Command, name: string): string {
  const given = (command.arguments ?? []).map(
    ({ name, summary }) => [name, summary] as [string, string],
  )
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(
    ([long, option]) => [optionText(long, option), option.summary] as [string, string],
  )
  return [
    folded(`Usage: ${usageLine(command, name)}`),
    '',
    sentence(command.summary),
    ...(given.length > 0 ? ['', ...columns(given)] : []),
    '',
    ...columns(options),
    ...verbRows(command, name),
    ...(command.details === undefined ? [] : ['', command.details]),
  ].join('\n')
}

function verbRows({ verbs = [] }: Command, name: string): string[] {
  return verbs.flatMap(verb => [
    '',
    folded(usageLine(verb, `${name} ${verb.name}`)),
    `    ${verb.summary}`,
  ])
}

const LINE_MAX = 100
const INDENT = ' '.repeat(10)

/** A usage in lines that fit a terminal: what is in brackets stays together, and what does not fit goes on further in. */
export function folded(usage: string): string {
  const lines: string[] = []
  let line = ''
  for (const part of usage.match(/ *(?:\[[^\]]*\]…?|\S+)/g) ?? []) {
    if (line !== '' && line.length + part.length > LINE_MAX) {
      lines.push(line)
      line = INDENT + part.trimStart()
    } else line += part
  }
  return [...lines, line].join('\n')
}

/** An option with its short form and value: `-p, --path PATH`. */
export function optionText(long: string, { short, value }: Option): string {
  const flags = short === undefined ? `--${long}` : `-${short}, --${long}`
  return value === undefined ? flags : `${flags} ${value}`
}

/** Two columns, the second aligned. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd())
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}
