import type { Operation } from '../codec/patch.ts'
import type { Stored } from './document.ts'
import type { SiteEvent } from './events.ts'
import { KEYFRAME_BYTES, KEYFRAME_EVENTS, type Keyframe } from './state.ts'

/** Before the first. */
export const NO_KEYFRAME: Keyframe = { revision: 0, bytesSince: 0 }

/** Keeps the cost of reading any revision bounded: by events, and by bytes once they pass those of the document. */
export function nextKeyframe(last: Keyframe, event: SiteEvent, document: Stored): Keyframe {
  const bytesSince = last.bytesSince + patchBytes(event)
  const deep = event.revision - last.revision >= KEYFRAME_EVENTS
  const heavy = bytesSince > KEYFRAME_BYTES && bytesSince > roughBytes(document)
  return deep || heavy
    ? { revision: event.revision, bytesSince: 0 }
    : { revision: last.revision, bytesSince }
}

function patchBytes(event: SiteEvent): number {
  if (event.type === 'PageRevised' && 'document' in event.data)
    return roughBytes(event.data.document)
  const patch = (event.data as { patch?: readonly Operation[] }).patch
  return patch === undefined ? 0 : roughBytes(patch)
}

/** About how many bytes a value takes as JSON: cheap, and the same wherever it is computed. */
export function roughBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 2
  for (const key in value) {
    bytes += key.length + 3 + roughBytes((value as Record<string, unknown>)[key])
  }
  return bytes
}
