import { Rm3Error } from '../../errors.ts'
import { type Period, parsePeriod } from '../../queries/periods.ts'
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

/**
 * `author`, `since` and `until` (days, both inclusive) out of a query; empty ones choose nothing.
 *
 * @param zone whose clocks days begin by
 * @throws REQUEST_INVALID
 */
export function chosenIn(query: Query, zone: string): Chosen {
  const shown = {
    author: textOf(query, 'author')?.trim() ?? '',
    since: textOf(query, 'since')?.trim() ?? '',
    until: textOf(query, 'until')?.trim() ?? '',
  }
  const set = Object.entries(shown).filter(([, value]) => value !== '')
  return {
    filter: {
      author: shown.author === '' ? null : shown.author.slice(0, 100),
      from: dayOf('since', shown.since, zone)?.from ?? null,
      until: dayOf('until', shown.until, zone)?.until ?? null,
    },
    isSet: set.length > 0,
    shown,
    query: Object.fromEntries(set),
  }
}

function dayOf(parameter: string, text: string, zone: string): Period | null {
  if (text === '') return null
  const day = DAY.test(text) ? parsePeriod(text, zone, text) : null
  if (day !== null) return day
  throw new Rm3Error('REQUEST_INVALID', `${parameter} is a day, such as 2026-01-31`, { parameter })
}
