import { decidePage, type PageCommand } from '../../src/content/decide-page.ts'
import type { Document } from '../../src/content/document.ts'
import type { NewEvent, SiteEvent } from '../../src/content/events.ts'
import { evolve } from '../../src/content/evolve.ts'
import type { Entity } from '../../src/content/state.ts'
import { CHAIN_START, chainLink } from '../../src/log/chain.ts'
import { bodyHash, newSalt, type RecordedEvent } from '../../src/log/event.ts'
import { openBulk, type SiteDatabase } from '../../src/pg/bulk.ts'

/** Pages that are being edited at the same time: their events alternate in the log. */
const ACTIVE = 500
/** Different histories; each page has one of them, at a path of its own. */
const HISTORIES = 40
const ACTORS = [
  'root',
  '0195f0c0-0000-7000-8000-00000000000a',
  '0195f0c0-0000-7000-8000-00000000000b',
]
const START = Date.parse('2020-01-01T00:00:00.000Z')
const STEP_MS = 1_000
const LINES_MAX = 256 * 1024
/** Stands in payloads for what only one page has. */
const PLACE = 'PLACE'

/**
 * Fills the empty log of a site with the history of many pages, valid to the hash: what saves of one line of 1.5 KB leave behind, with
 * drafts, tags, moves and deletions among them. Only the log is written, as fast as COPY goes.
 *
 * @param events about how many; each page gets as many as any other
 */
export async function fillLog(
  database: SiteDatabase,
  { events, entities }: { events: number; entities: number },
): Promise<number> {
  const random = randomFrom(7)
  const each = Math.round(events / entities)
  const histories = Array.from({ length: HISTORIES }, (_, n) => historyOf(n, each, random))
  const bulk = await openBulk(database)
  const end = { position: 0, chain: CHAIN_START as Buffer, at: '' }
  try {
    await bulk.copyIn(
      'copy log (position, at, recorded_at, event_id, stream, revision, version, type, actor, note, meta, data, salt, body_hash, chain) from stdin',
      linesOf(histories, entities, { random, end }),
    )
    await bulk.db.rows(
      'update log_head set position = $1::bigint, recorded_at = $2::timestamptz, chain = $3::bytea',
      [end.position, end.at, end.chain],
    )
    await bulk.db.script('vacuum (analyze) log')
  } finally {
    await bulk.close()
  }
  return end.position
}

interface Making {
  readonly random: () => number
  readonly end: { position: number; chain: Buffer; at: string }
}

function* linesOf(
  histories: readonly NewEvent[][],
  entities: number,
  { random, end }: Making,
): Iterable<string> {
  const active: { entity: number; done: number }[] = []
  let next = 0
  let lines = ''
  for (;;) {
    while (active.length < ACTIVE && next < entities) active.push({ entity: next++, done: 0 })
    if (active.length === 0) break
    const index = Math.floor(random() * active.length)
    const page = active[index] as { entity: number; done: number }
    const history = histories[page.entity % histories.length] as NewEvent[]
    lines += lineOf(history[page.done] as NewEvent, page, end)
    page.done++
    if (page.done === history.length) active.splice(index, 1)
    if (lines.length > LINES_MAX) {
      yield lines
      lines = ''
    }
  }
  yield lines
}

/** The next event of a page as a line of COPY's text format; moves the end of the log. */
function lineOf(
  made: NewEvent,
  { entity, done }: { entity: number; done: number },
  end: Making['end'],
): string {
  end.position++
  end.at = new Date(START + end.position * STEP_MS).toISOString()
  const event: RecordedEvent = {
    position: end.position,
    eventId: idOf(end.position, 'e'),
    stream: idOf(entity, 'a'),
    revision: done + 1,
    type: made.type,
    version: 1,
    actor: ACTORS[(entity + done) % ACTORS.length] as string,
    at: end.at,
    recordedAt: end.at,
    note: done % 10 === 9 ? `change ${done}` : null,
    meta: '{"door":"api"}',
    data: JSON.stringify(made.data).replaceAll(PLACE, `p${entity}`),
  }
  const salt = newSalt()
  const hash = bodyHash(salt, event.note, event.meta, event.data)
  end.chain = chainLink(end.chain, event, hash)
  const { position, at, recordedAt, eventId, stream, revision, version, type, actor, note } = event
  const head = [position, at, recordedAt, eventId, stream, revision, version, type, actor]
  const body = [note ?? '\\N', event.meta, event.data?.replaceAll('\\', '\\\\')]
  const bytes = [salt, hash, end.chain].map(value => `\\\\x${value.toString('hex')}`)
  return `${[...head, ...body, ...bytes].join('\t')}\n`
}

/** A UUID of version 7 that sorts by `n`. */
function idOf(n: number, kind: string): string {
  const hex = (START + n).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${kind}${n.toString(16).padStart(11, '0')}`
}

const ID = '00000000-0000-4000-8000-000000000000'

/** Events of a page that was made, and then saved until there are so many. */
function historyOf(number: number, events: number, random: () => number): NewEvent[] {
  const made: NewEvent[] = []
  let entity: Entity | null = null
  let document = documentOf(number)
  while (made.length < events) {
    const decided: NewEvent[] =
      entity === null
        ? decidePage(null, { type: 'CreatePage', id: ID, path: `wh.s${number}.${PLACE}`, document })
        : decidePage(entity, commandFor(entity, document, random))
    for (const event of decided) {
      if (made.length === events) break
      const placed = {
        ...JSON.parse(JSON.stringify(event)),
        ...{ revision: made.length + 1, position: made.length + 1, eventId: ID },
        ...{ actor: 'root', at: '2020-01-01T00:00:00.000Z', note: null },
      } as SiteEvent
      entity = evolve(entity, placed) as Entity
      made.push(event)
    }
    document = edited(document, made.length, random)
  }
  return made
}

function commandFor(entity: Entity, document: Document, random: () => number): PageCommand {
  const chance = random()
  const { path, tipRevision, tipId } = entity
  if (entity.state === 'deleted') return { type: 'UndeletePage', path }
  if (entity.live?.revision !== tipRevision)
    return { type: 'PublishPage', revision: tipRevision, revisionId: tipId, document }
  if (chance < 0.02) return { type: 'MovePage', to: `wh.moved${entity.revision}.${PLACE}` }
  if (chance < 0.03) return { type: 'DeletePage' }
  return { type: 'RevisePage', document, base: tipRevision, draft: chance < 0.1 }
}

const LINE = 'The quick brown fox jumps over the lazy dog and writes a line of text about it'

/** A page of about 1.5 KB. */
function documentOf(number: number): Document {
  const source = Array.from({ length: 16 }, (_, line) => `${LINE}, ${number}.${line}.\n`).join('')
  return {
    proto: 'blog',
    hidden: false,
    summary: { title: `Page ${number}`, abstract: 'A page that is saved often.' },
    data: { posting: { format: 'markdown', source } },
    tags: { about: [{ '@id': `topic${number % 7}`, objClass: 'tag' }] },
  }
}

/** Mostly one line is another one, now and then the title or a tag. */
function edited(document: Document, turn: number, random: () => number): Document {
  const chance = random()
  if (chance < 0.05)
    return { ...document, summary: { ...document.summary, title: `A title of turn ${turn}` } }
  if (chance < 0.15) {
    const tag = { '@id': `topic${Math.floor(random() * 50)}`, objClass: 'tag' }
    return { ...document, tags: { about: [{ '@id': 'topic1', objClass: 'tag' }, tag] } }
  }
  const { posting } = document.data as { posting: { format: string; source: string } }
  const lines = posting.source.split('\n')
  lines[Math.floor(random() * 16)] = `${LINE}, as turn ${turn} has it.`
  return { ...document, data: { posting: { ...posting, source: lines.join('\n') } } }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
