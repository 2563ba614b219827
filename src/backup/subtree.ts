import type { ImportedAppend } from '../commands/import.ts'
import { isUnder } from '../content/path.ts'

/** The appends of pages that end at `path` or below it; users' roles and credentials go with them, the site's grants do not. */
export function subtreeOf(appends: readonly ImportedAppend[], path: string): ImportedAppend[] {
  const paths = new Map<string, string>()
  for (const { type, stream, data } of appends.flatMap(append => append.events)) {
    if (type === 'PageCreated' || type === 'PageUndeleted') paths.set(stream, data.path)
    if (type === 'PageMoved') paths.set(stream, data.to)
  }
  const isKept = (stream: string) => isUnder(paths.get(stream) ?? '', path)
  return appends
    .map(({ recordedAt, events }) => ({
      recordedAt,
      events: events.filter(({ stream }) => isKept(stream)),
    }))
    .filter(({ events }) => events.length > 0)
}
