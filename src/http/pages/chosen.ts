import { Rm3Error } from '../../errors.ts'
import type { RevisionFilter } from '../../queries/revisions.ts'
import { type Query, textOf } from './asked.ts'

/** What a reader wants to see of a history. */
export interface Chosen {
  readonly filter: RevisionFilter
  readonly isSet: boolean
  /** As the form has it. */
  readonly shown: { readonly author: string; readonly since: string; readonly until: string }
  /** For links to other parts of the list. */
  readonly query: Readonly<Record<string, string>>
}

const DAY = /^\d{4}-\d{2}-\d{2}$/
const DAY_MS = 86_400_000

/** `author`, `since` and `until` (days, UTC, both inclusive) out of a query; empty ones choose nothing. @throws REQUEST_INVALID */
export function chosenIn(query: Query): Chosen {
  const shown = {
    author: textOf(query, 'author')?.trim() ?? '',
    since: textOf(query, 'since')?.trim() ?? '',
    until: textOf(query, 'until')?.trim() ?? '',
  }
  const set = Object.entries(shown).filter(([, value]) => value !== '')
  return {
    filter: {
      author: shown.author === '' ? null : shown.author.slice(0, 100),
      from: instantOf('since', shown.since, 0),
      until: instantOf('until', shown.until, DAY_MS),
    },
    isSet: set.length > 0,
    shown,
    query: Object.fromEntries(set),
  }
}

function instantOf(parameter: string, day: string, laterMs: number): string | null {
  if (day === '') return null
  const parsed = DAY.test(day) ? Date.parse(`${day}T00:00:00.000Z`) : Number.NaN
  if (!Number.isNaN(parsed)) return new Date(parsed + laterMs).toISOString()
  throw new Rm3Error('REQUEST_INVALID', `${parameter} is a day, such as 2026-01-31`, { parameter })
}
