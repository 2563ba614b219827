import type { Rm3Error } from '../errors.ts'

/** Something in a projection's tables that is not as the log has it. */
export type Finding = StructureFinding | RowFinding | LogFinding

/** Events that cannot be folded: nothing can be said of the rows that follow from them. */
export interface LogFinding {
  /** All of them. */
  readonly projection: '*'
  readonly table: 'log'
  readonly problem: 'unfoldable'
  /** Whose events they are; null when an ordered projection cannot be given the log. */
  readonly stream: string | null
  readonly position: number | null
  readonly text: string
}

export interface StructureFinding {
  readonly projection: string
  readonly table: string
  readonly problem: 'structure'
  /** A sentence: "the index pages_proto is missing". */
  readonly text: string
}

export interface RowFinding {
  readonly projection: string
  readonly table: string
  /** `missing`: the log has it and the table has not; `extra`: the other way round. */
  readonly problem: 'missing' | 'extra' | 'differs'
  /** Values of the primary key, by column. */
  readonly key: Readonly<Record<string, unknown>>
  /** To which stream it belongs; null in a table of an ordered projection. */
  readonly stream: string | null
  /** Of a row that differs: those that do, values as PostgreSQL writes them. */
  readonly columns: readonly { column: string; expected: string | null; found: string | null }[]
}

/** A finding as a line for people. */
export function findingText(finding: Finding): string {
  if (finding.problem === 'unfoldable') return `the log: ${finding.text}`
  const { projection, table } = finding
  const place = projection === table ? table : `${projection}, ${table}`
  if (finding.problem === 'structure') return `${place}: ${finding.text}`
  const key = Object.entries(finding.key).map(([column, value]) => `${column} ${String(value)}`)
  const columns = finding.columns.map(
    ({ column, expected, found }) => `${column} is ${shown(found)}, not ${shown(expected)}`,
  )
  const what =
    finding.problem === 'differs' ? columns.join('; ') : `the row is ${WORDS[finding.problem]}`
  return `${place} (${key.join(', ')}): ${what}`
}

const WORDS = { missing: 'missing', extra: 'there, and belongs to nothing in the log' } as const
const SHOWN_MAX = 60

function shown(value: string | null): string {
  if (value === null) return 'null'
  return value.length > SHOWN_MAX ? `"${value.slice(0, SHOWN_MAX)}…"` : `"${value}"`
}

/** A LOG_DAMAGED as a finding. */
export function logFinding(thrown: Rm3Error, stream: string | null): LogFinding {
  const { position } = thrown.details as { position?: number }
  return {
    ...{ projection: '*', table: 'log', problem: 'unfoldable', stream },
    ...{ position: position ?? null, text: thrown.message },
  }
}
