import type { JsonObject } from '../../codec/json.ts'
import { type EventType, type NewEvent, SYSTEM } from '../../content/events.ts'
import type { LegacyContent, LegacyRow } from './history.ts'
import type { LegacyRecord } from './record.ts'

/** What came from elsewhere keeps, in an event's `meta`, everything that the event itself has no place for. */
export interface ImportMeta {
  readonly door: 'import'
  readonly import: JsonObject
}

/**
 * An event as it will stand in the log.
 *
 * `PageRevised` carries its whole document (the loader makes the patch); `PagePublished` carries no patch (the loader
 * adds one when its revision is not the newest). `at` is when it happened by the old clock.
 */
export type PlannedEvent<T extends EventType = EventType> = NewEvent<T> & {
  readonly eventId: string
  /** A user's entity id, 'root', 'nobody' or 'system'. */
  readonly actor: string
  readonly at: string
  readonly note: string | null
  readonly meta: ImportMeta
}

/** Events that stand or fall together. `recordedAt` never decreases from one append of a plan to the next. */
export interface PlannedAppend {
  readonly recordedAt: string
  readonly events: readonly PlannedEvent[]
}

/** An event on its way into the plan: its place in the stream is not known yet. */
export interface Step {
  fact: NewEvent
  readonly eventId: string
  readonly actor: string
  /** The old clock's instant, for `at`. */
  readonly at: string
  /** When it is taken to have happened, in ms: never before the step before it in its stream. */
  time: number
  readonly note: string | null
  readonly kept: JsonObject
  /** The event that `base` or `revision` of the payload means. */
  readonly refersTo?: string | null
  /** Goes into the append of the step before it. */
  readonly joined?: true
}

/** What the plan is made of and with, the same for every page of it. */
export interface Origin {
  /** Names the backup: two readings of one backup have the same. */
  readonly identity: string
  /** As `meta.import.from` says it: 'rm3 0.3.8'. */
  readonly from: string
  readonly dumpedAt: string
  readonly actorOf: (path: string | null, time: number) => string
  /** The record of the page that is live at a path. */
  readonly recordAt: (path: string) => LegacyRecord | undefined
  readonly idOf: (row: LegacyRow) => string
}

/** A step that the old log has no row for. `why` goes to `meta.import.synthesised`. */
export function synthesised(
  origin: Origin,
  step: Pick<Step, 'fact' | 'eventId' | 'at'> & Partial<Step>,
  why: string,
): Step {
  const { kept = {} } = step
  return {
    actor: SYSTEM,
    note: null,
    time: Date.parse(step.at),
    ...step,
    kept: { from: origin.from, synthesised: why, ...kept },
  }
}

/** What an event's payload keeps of the old number and times. */
export function importedOf(number: number | null, content: LegacyContent | null) {
  return {
    ...(number !== null && { number }),
    ...(content?.created && { created: content.created }),
    ...(content?.modified && { modified: content.modified }),
  }
}
