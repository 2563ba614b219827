import { pointerOf } from '../../codec/pointer.ts'
import { Rm3Error } from '../../errors.ts'

/** Something found in a source: `place` is a JSON pointer into `file`, '' for the whole of it; `rule` names the kind. */
export interface Finding {
  readonly file: string
  readonly place: string
  readonly rule: string
  readonly message: string
}

/** What reading a source has found so far. Bounded: what is beyond the bounds is counted only. */
export interface Findings {
  readonly problems: Finding[]
  readonly warnings: Finding[]
  problemCount: number
  warningCount: number
}

/** Somewhere in a JSON file, with what is there; `undefined` when nothing is. */
export interface Spot {
  readonly value: unknown
  readonly file: string
  readonly tokens: readonly (string | number)[]
  readonly findings: Findings
}

const PROBLEMS_MAX = 50
const WARNINGS_MAX = 1000

/** No findings yet. */
export function newFindings(): Findings {
  return { problems: [], warnings: [], problemCount: 0, warningCount: 0 }
}

/** The whole of a file. */
export function spotOf(file: string, value: unknown, findings: Findings): Spot {
  return { value, file, tokens: [], findings }
}

/** The member or item `token` of what is at `spot`; its value is `undefined` when there is none. */
export function spotIn(spot: Spot, token: string | number): Spot {
  const { value, file, tokens, findings } = spot
  const holder = typeof value === 'object' && value !== null ? value : {}
  const inside = Object.hasOwn(holder, token)
    ? (holder as Record<string | number, unknown>)[token]
    : undefined
  return { value: inside, file, tokens: [...tokens, token], findings }
}

/** Notes a breach of a rule: the source will not be used. */
export function refuse(spot: Spot, rule: string, message: string): void {
  spot.findings.problemCount++
  if (spot.findings.problems.length < PROBLEMS_MAX)
    spot.findings.problems.push(findingAt(spot, rule, message))
}

/** Notes something that the operator should know and that stops nothing. */
export function warn(spot: Spot, rule: string, message: string): void {
  spot.findings.warningCount++
  if (spot.findings.warnings.length < WARNINGS_MAX)
    spot.findings.warnings.push(findingAt(spot, rule, message))
}

/**
 * Stops when anything was refused.
 *
 * @throws SOURCE_DAMAGED with `file`, `place` and `rule` of the first problem, `problems` (at most 50) and
 *   `problemCount`
 */
export function failOnProblems(findings: Findings): void {
  const [first] = findings.problems
  if (first === undefined) return
  const { file, place, rule, message } = first
  const more = findings.problemCount > 1 ? ` (and ${findings.problemCount - 1} more)` : ''
  throw new Rm3Error('SOURCE_DAMAGED', `${file}${place && ` at ${place}`}: ${message}${more}`, {
    file,
    place,
    rule,
    problems: findings.problems,
    problemCount: findings.problemCount,
  })
}

function findingAt(spot: Spot, rule: string, message: string): Finding {
  return { file: spot.file, place: pointerOf(spot.tokens), rule, message }
}
