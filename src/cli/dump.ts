import { findStub } from '../../projections/page-history.ts'
import { ROOT_VIEWER } from '../access/viewer.ts'
import type { Json, JsonObject } from '../codec/json.ts'
import type { Site } from '../commands/change.ts'
import { parsePath } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import { resolveAt } from '../queries/at.ts'
import type { PageAnswer } from '../queries/page-answer.ts'
import { readPage } from '../queries/read-page.ts'
import { recordText } from '../queries/record.ts'
import { findRevisionEntry } from '../queries/revisions.ts'
import { readWholeHistory, type WholeRevision } from '../queries/whole-history.ts'

import type { Call, Command, Outcome } from './command.ts'
import { namesOf } from './names.ts'
import { withSite } from './open.ts'
import { columns } from './usage.ts'

/** `rm3dump`: one page as JSON, or for people. */
export const dump: Command = {
  name: 'rm3dump',
  summary: 'prints one page',
  arguments: [{ name: 'PATH', summary: 'dotted path, such as wh.blog' }],
  options: {
    log: { short: 'l', summary: 'with its history, each revision whole' },
    friendly: { short: 'f', summary: 'for people instead of JSON' },
    at: {
      value: 'WHEN',
      summary: 'as of position:N, an instant such as 2026-02-03T04:05:06Z or a date; or revision:N',
    },
  },
  details: 'rm3load -f takes what this prints.',
  run: call => withSite(call, site => dumpPage(call, site)),
}

/** The record as it is printed: see `queries/record.ts`. */
interface Printed extends JsonObject {
  readonly entityId: string
  readonly summary: JsonObject
  readonly data: JsonObject
  readonly tags: JsonObject
}

async function dumpPage(call: Call, site: Site): Promise<Outcome> {
  const path = parsePath(call.argument('PATH'))
  const when = call.option('at')
  const at = when === null ? null : await resolveAt(site.db, when)
  const answer = await readPage(site, ROOT_VIEWER, path, at)
  if (answer.type !== 'page') throw await nothingAt(site, path, answer, when)
  const record = JSON.parse(recordText(answer.page)) as Printed
  const until = at === null ? undefined : answer.position
  const history = call.flag('log') ? await readWholeHistory(site.db, record.entityId, until) : null
  const data: JsonObject = { ...record, ...(history && { history: history as unknown as Json }) }
  if (!call.flag('friendly') || call.flag('json')) return { text: JSON.stringify(data), data }
  return { text: await friendly(site.db, record, history), data }
}

async function nothingAt(
  site: Site,
  path: string,
  answer: Exclude<PageAnswer, { type: 'page' }>,
  when: string | null,
): Promise<Rm3Error> {
  if (answer.type === 'moved') {
    const message = `${path} was moved to ${answer.to}`
    return new Rm3Error('PAGE_NOT_FOUND', message, { path, to: answer.to })
  }
  if (answer.type === 'absent') {
    const then = when === null ? '' : ` as of ${when}`
    return new Rm3Error('PAGE_NOT_FOUND', `there is no page at ${path}${then}`, { path })
  }
  const stub = await findStub(site.db, path)
  const last = stub && (await findRevisionEntry(site, ROOT_VIEWER, stub.entityId, stub.revision))
  if (last?.erased) {
    return new Rm3Error('ERASED', `${path} was deleted, and what it said was erased`, { path })
  }
  return new Rm3Error('PAGE_GONE', `${path} was deleted; --at shows it as it was`, { path })
}

async function friendly(
  db: Db,
  record: Printed,
  history: readonly WholeRevision[] | null,
): Promise<string> {
  const { summary } = record
  const head = columns([
    ['Path', String(record['path'])],
    ['Kind', `${record['proto']}${record['hidden'] ? ' (hidden)' : ''}`],
    ['Created', String(record['created'])],
    ['Modified', String(record['modified'])],
    ['Touched', String(record['touched'])],
    ['Revision', `${record['revisionNum']} (${record['revisionId']})`],
    ['Since', `position ${record['position']}`],
    ...tagRows(record.tags),
  ])
  const texts = [textOf(summary['abstract']), ...textsIn(record.data)].filter(text => text !== '')
  const lines = [textOf(summary['title']) || '(without a title)', '', ...head]
  for (const text of texts) lines.push('', text.replaceAll('\r\n', '\n').trimEnd())
  if (history !== null) lines.push('', 'History:', ...(await historyLines(db, history)))
  return lines.join('\n')
}

function tagRows(tags: JsonObject): [string, string][] {
  return Object.entries(tags).map(([predicate, objects]) => {
    const list = Array.isArray(objects) ? objects : [objects]
    const texts = list.map(object => {
      const { '@id': id } = (object ?? {}) as { '@id'?: unknown }
      return typeof id === 'string' ? id : JSON.stringify(object)
    })
    return ['Tags', `${predicate}: ${texts.join(', ')}`]
  })
}

async function historyLines(db: Db, history: readonly WholeRevision[]): Promise<string[]> {
  const names = await namesOf(
    db,
    history.map(({ actor }) => actor),
  )
  const rows = history.map(({ revision, position, type, at, actor, note, draft, erased }) => {
    const who = names.get(actor) ?? actor
    const how = erased === undefined ? (draft ? ' (draft)' : '') : ` (erased by revision ${erased})`
    const what = `${type}${how} by ${who}${note === null || note === '' ? '' : `: ${note}`}`
    return [`${revision}  ${at}  position ${position}`, what] as const
  })
  return columns(rows)
}

/** The texts that people wrote: sources of blocks wherever they are. */
function textsIn(value: Json): string[] {
  if (value === null || typeof value !== 'object') return []
  if (Array.isArray(value)) return value.flatMap(textsIn)
  const { source } = value
  const own = typeof source === 'string' ? [source] : []
  return [...own, ...Object.values(value).flatMap(textsIn)]
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
