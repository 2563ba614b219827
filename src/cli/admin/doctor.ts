import { loadConfig, withEnvFile } from '../../config.ts'
import { isRm3Error } from '../../errors.ts'
import type { Call, Command, Outcome } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { examineDatabase } from './doctor-database.ts'
import { examineMachine, type Finding } from './doctor-machine.ts'

/** `rm3admin doctor`: what is right and wrong with the set-up, and what to do. Changes nothing. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'checks the set-up and says what to do',
  details: 'Changes nothing in the database. Exit code 1 when a line says fail.',
  run: async call => {
    const findings = await examine(call)
    return outcomeOf(findings)
  },
}

async function examine(call: Call): Promise<Finding[]> {
  const { terminal } = call
  try {
    const config = loadConfig(withEnvFile(terminal.env, terminal.cwd), terminal.cwd)
    const settings: Finding[] = config.warnings.map(text => ({
      ...{ check: 'settings', state: 'warn', text, advice: 'take it out of the environment' },
    }))
    if (settings.length === 0) {
      settings.push({ check: 'settings', state: 'ok', text: 'all are known and well formed' })
    }
    const database = await examineDatabase(call, config)
    return [...settings, ...(await examineMachine(config)), ...database]
  } catch (thrown) {
    if (!isRm3Error(thrown, 'CONFIG_INVALID')) throw thrown
    const advice = 'correct the settings; docs/reference/configuration.md lists them'
    return [{ check: 'settings', state: 'fail', text: thrown.message, advice }]
  }
}

function outcomeOf(findings: readonly Finding[]): Outcome {
  const failed = findings.some(({ state }) => state === 'fail')
  const lines = findings.flatMap(({ check, state, text, advice }) => [
    `${state.padEnd(4)}  ${check}: ${text}`,
    ...(advice === undefined ? [] : [`      → ${advice}`]),
  ])
  const checks = findings.map(finding => ({ advice: null, ...finding }))
  return {
    text: lines.join('\n'),
    data: { ok: !failed, checks },
    exitCode: failed ? EXIT.failed : EXIT.ok,
  }
}
