import type { PageRecord } from '../../queries/record.ts'
import { isJsonObject, textAt } from '../../scheme/json.ts'

/** The summary of a record. */
export function summaryIn({ summary }: PageRecord): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(summary)
  return isJsonObject(value) ? value : {}
}

/** The title of a record; '' without. */
export function titleIn(record: PageRecord): string {
  return textAt(summaryIn(record), 'title').trim()
}
