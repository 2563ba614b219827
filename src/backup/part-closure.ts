import { pathsAbove } from '../content/path.ts'
import type { ProvableEvent } from '../log/copy-history.ts'

/** What the histories of a part of a site refer to. */
export interface PartClosure {
  /** Files that come with it: each content once. */
  readonly files: number
  /** Users who wrote in it and are not in it: entity ids. */
  readonly authorsOutside: readonly string[]
  /** Paths above the part, from the top; nothing in it needs them. */
  readonly above: readonly string[]
}

const ENTITY_ID = /^[0-9a-f]{8}-/

/** @param path where the part begins; null when it is of the whole site */
export function closureOf(part: readonly ProvableEvent[], path: string | null): PartClosure {
  const streams = new Set<string>()
  const actors = new Set<string>()
  const files = new Set<string>()
  for (const { stream, actor, type, data } of part) {
    streams.add(stream)
    if (ENTITY_ID.test(actor)) actors.add(actor)
    if (type !== 'BlobAttached' || data === null) continue
    files.add(String((JSON.parse(data) as { sha256: unknown }).sha256))
  }
  const authorsOutside = [...actors].filter(actor => !streams.has(actor)).sort()
  return { files: files.size, authorsOutside, above: path === null ? [] : pathsAbove(path) }
}
