import { resolve } from 'node:path'
import { type Forgotten, forgetBackups } from '../backup/shelf.ts'
import type { Json } from '../codec/json.ts'
import { isEmptyPolicy, NO_POLICY, type Policy } from '../content/keep-policy.ts'
import { Rm3Error } from '../errors.ts'
import { sizeInWords } from '../scheme/words.ts'
import type { Call, Command, Option, Outcome } from './command.ts'
import { columns } from './usage.ts'

const RULES = Object.keys(NO_POLICY) as (keyof Policy)[]

const KEEP_OPTIONS: Readonly<Record<string, Option>> = Object.fromEntries(
  RULES.map(rule => [
    `keep-${rule}`,
    {
      value: 'N',
      summary:
        rule === 'last'
          ? 'keeps the newest N'
          : `keeps the newest of each of the last N ${unitOf(rule)}`,
    },
  ]),
)

/** `rm3backup forget`. */
export const forget: Command = {
  name: 'forget',
  summary: 'removes the backups in a folder that no rule keeps',
  arguments: [{ name: 'SHELF', summary: 'the folder that the backups are in' }],
  options: {
    ...KEEP_OPTIONS,
    'dry-run': { summary: 'removes nothing, and tells what would go and why the others stay' },
  },
  details: `What any rule keeps is kept; N may be unlimited. Hours, days, weeks (from Monday), months and years are those of the calendar in UTC, and only
those count that have a backup. While a rule's N is not used up the oldest stays too. Always kept are the newest, what a kept
incremental one needs, and what is dated in the future; what is no whole backup is never touched. Without a rule nothing is done (exit code 2).
While a scheduled backup is made there, or another forget is at work, the exit code is 11; what a killed one has locked is taken over.`,
  run: async call => {
    const policy = policyOf(call)
    const dir = resolve(call.terminal.cwd, call.argument('SHELF'))
    const dryRun = call.flag('dry-run')
    const forgotten = await forgetBackups(dir, policy, { now: new Date().toISOString(), dryRun })
    return outcomeOf(dir, forgotten, dryRun)
  },
}

function unitOf(rule: string): string {
  return { hourly: 'hours', daily: 'days', weekly: 'weeks', monthly: 'months' }[rule] ?? 'years'
}

function policyOf(call: Call): Policy {
  const policy = Object.fromEntries(
    RULES.map(rule => [rule, countOf(`keep-${rule}`, call.option(`keep-${rule}`))]),
  ) as unknown as Policy
  if (!isEmptyPolicy(policy)) return policy
  throw new Rm3Error('USAGE', 'say what to keep, as with --keep-daily 7: nothing is not a policy')
}

function countOf(name: string, text: string | null): number {
  if (text === null) return 0
  if (text === 'unlimited') return Number.POSITIVE_INFINITY
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new Rm3Error('USAGE', `--${name} takes a number or the word unlimited, not "${text}"`)
}

function outcomeOf(
  dir: string,
  { decisions, removed, others }: Forgotten,
  dryRun: boolean,
): Outcome {
  const bytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const kept = decisions.filter(({ keep }) => keep)
  const text = [
    ...listed(
      'Kept',
      kept.map(({ name, at, reasons }) => [name, `${at}  ${reasons.join(', ')}`]),
    ),
    ...listed(
      dryRun ? 'Would go' : 'Removed',
      removed.map(({ name, at }) => [name, at]),
    ),
    ...listed(
      'Left alone',
      others.map(({ name, why }) => [name, why]),
    ),
    `${kept.length} kept, ${removed.length} ${dryRun ? 'would be ' : ''}removed (${sizeInWords(bytes)}).`,
  ].join('\n')
  const data = {
    dir,
    dryRun,
    backups: decisions,
    removed: removed.map(({ name }) => name),
    bytes,
    others,
  }
  return { text, data: data as unknown as Json }
}

function listed(title: string, rows: [string, string][]): string[] {
  return rows.length === 0 ? [] : [`${title}:`, ...columns(rows)]
}
