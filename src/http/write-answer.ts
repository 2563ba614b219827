import type { FastifyReply } from 'fastify'
import type { Site, Written } from '../commands/change.ts'
import type { Entity } from '../content/state.ts'
import { readHead } from '../log/read.ts'
import { sendJson } from './reply.ts'

/** An event of a change, as far as its answer tells of it. */
export interface WrittenEvent {
  readonly stream: string
  readonly eventId: string
  readonly revision: number
  readonly position: number
}

/** What a write answers with: where the page is and at which revision, without its content. */
export interface Essentials {
  readonly path: string
  readonly entityId: string
  /** The newest revision, and its event's id. */
  readonly revision: number
  readonly revisionId: string
  /** The number people know the live revision by; null before it is live. */
  readonly revisionNum: number | null
  readonly state: 'draft' | 'live' | 'deleted'
  /** Whether what was written is not what readers see. */
  readonly draft: boolean
  /** What `If-Match` takes next. */
  readonly etag: string
  readonly position: number
}

/** What a change of one page is told with. @param position that of the change, or of the head when nothing changed */
export function essentialsOf(
  entity: Entity,
  events: readonly WrittenEvent[],
  position: number,
): Essentials {
  const last = events.filter(event => event.stream === entity.id).at(-1)
  const revisionId = last?.eventId ?? entity.live?.revisionId ?? entity.tipId
  const draft = entity.state === 'draft' || (last !== undefined && entity.since < last.revision)
  return {
    path: entity.path,
    entityId: entity.id,
    revision: entity.revision,
    revisionId,
    revisionNum: entity.live?.number ?? null,
    state: entity.state,
    draft,
    etag: (draft ? null : entity.sinceId) ?? entity.tipId,
    position: last?.position ?? position,
  }
}

/** Answers a change of one page: its essentials, `ETag` and `RM3-Position`. */
export async function sendWritten(
  site: Site,
  reply: FastifyReply,
  written: Written<Entity>,
): Promise<FastifyReply> {
  const position = await positionOf(site, written)
  return sendEssentials(reply, essentialsOf(written.result, written.events, position), position)
}

/** As `sendWritten`, of essentials made elsewhere. */
export function sendEssentials(
  reply: FastifyReply,
  essentials: Essentials,
  position: number,
): FastifyReply {
  reply.header('ETag', `"${essentials.etag}"`).header('RM3-Position', position)
  return sendJson(reply, JSON.stringify(essentials))
}

/** The position that a change reached; the head when it changed nothing. */
export async function positionOf(site: Site, written: Written<unknown>): Promise<number> {
  return written.position ?? (await readHead(site.db)).position
}
