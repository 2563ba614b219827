import type { Person } from './views.ts'

/** Entries of one author with less time between them than this are one sitting. */
const PAUSE_MS = 30 * 60_000

interface Told {
  readonly at: { readonly iso: string; readonly day: string }
  readonly person: Person | null
  readonly state: string
  readonly note: string | null
}

/** What one did without a longer pause; newest first. Drafts between are folded: each was only on the way to the next. */
export interface Sitting<Entry> {
  readonly entries: readonly Folded<Entry>[]
}

/** An entry, and the drafts before it that it made old. */
export interface Folded<Entry> {
  readonly entry: Entry
  readonly earlier: readonly Entry[]
}

/** Entries, newest first, by day and in each by sitting. */
export function bySitting<Entry extends Told>(
  entries: readonly Entry[],
): { title: string; sittings: Sitting<Entry>[] }[] {
  const days: { title: string; sittings: Entry[][] }[] = []
  let last: Entry | null = null
  for (const entry of entries) {
    const day = days.at(-1)
    if (last === null || day === undefined || day.title !== entry.at.day) {
      days.push({ title: entry.at.day, sittings: [[entry]] })
    } else if (isSameSitting(last, entry)) day.sittings.at(-1)?.push(entry)
    else day.sittings.push([entry])
    last = entry
  }
  return days.map(({ title, sittings }) => ({
    title,
    sittings: sittings.map(sitting => ({ entries: fold(sitting) })),
  }))
}

function isSameSitting(newer: Told, older: Told): boolean {
  const pause = Date.parse(newer.at.iso) - Date.parse(older.at.iso)
  const same = newer.person?.name === older.person?.name && newer.person?.url === older.person?.url
  return same && pause >= 0 && pause < PAUSE_MS
}

function fold<Entry extends Told>(entries: readonly Entry[]): Folded<Entry>[] {
  const folded: { entry: Entry; earlier: Entry[] }[] = []
  for (const entry of entries) {
    const newer = folded.at(-1)
    const isStep = entry.state === 'draft' && entry.note === null && newer?.entry.state === 'draft'
    if (isStep) newer?.earlier.push(entry)
    else folded.push({ entry, earlier: [] })
  }
  return folded
}
