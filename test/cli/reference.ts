import { type Command, type Group, isGroup } from '../../src/cli/command.ts'
import { optionText, usageLine } from '../../src/cli/usage.ts'

/** What `docs/reference/cli.md` says of each program, as its definition does. */
export function referenceOf(program: Command | Group): string[] {
  if (!isGroup(program)) {
    const verbs = (program.verbs ?? []).map(verb =>
      sectionOf(verb, `${program.name} ${verb.name}`, '###'),
    )
    return [sectionOf(program, program.name, '##'), ...verbs]
  }
  const head = `## \`${program.name}\`\n\n${sentence(program.summary)}\n`
  const parts = program.commands.map(command =>
    sectionOf(command, `${program.name} ${command.name}`, '###'),
  )
  return [head, ...parts]
}

function sectionOf(command: Command, name: string, mark: string): string {
  const given = (command.arguments ?? []).map(({ name, summary }) => [`\`${name}\``, summary])
  const options = Object.entries(command.options ?? {}).map(([long, option]) => [
    `\`${optionText(long, option)}\``,
    option.summary,
  ])
  const rows = [...given, ...options].map(([left, right]) => `| ${left} | ${right} |`)
  return [
    `${mark} \`${usageLine(command, name)}\``,
    '',
    sentence(command.summary),
    ...(rows.length === 0 ? [] : ['', '| | |', '| --- | --- |', ...rows]),
    ...(command.details === undefined ? [] : ['', command.details]),
    '',
  ].join('\n')
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}
