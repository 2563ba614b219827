import type { Json, JsonObject } from '../codec/json.ts'
import { type AsOf, resolveAsOf } from '../commands/as-of.ts'
import {
  getRecord,
  getRecordAsOf,
  listRevisions,
  type PageRecord,
  type RevisionRecord,
} from '../commands/record.ts'
import { parsePath } from '../content/path.ts'
import type { Db } from '../pg/db.ts'
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
  run: call => withSite(call, ({ db }) => dumpPage(call, db)),
}

async function dumpPage(call: Call, db: Db): Promise<Outcome> {
  const path = parsePath(call.argument('PATH'))
  const at = call.option('at')
  const asOf = at === null ? null : await resolveAsOf(db, at)
  const record = asOf === null ? await getRecord(db, path) : await getRecordAsOf(db, path, asOf)
  const history = call.flag('log') ? await historyOf(db, record, asOf) : null
  const data = { ...record, ...(history && { history }) } as unknown as Json
  if (!call.flag('friendly') || call.flag('json')) return { text: JSON.stringify(data), data }
  return { text: await friendly(db, record, history), data }
}

function historyOf(db: Db, record: PageRecord, asOf: AsOf | null): Promise<RevisionRecord[]> {
  const until = asOf === null ? Number.MAX_SAFE_INTEGER : record.position
  return listRevisions(db, record.entityId, until)
}

async function friendly(
  db: Db,
  record: PageRecord,
  history: readonly RevisionRecord[] | null,
): Promise<string> {
  const { summary } = record
  const head = columns([
    ['Path', record.path],
    ['Kind', record.hidden ? `${record.proto} (hidden)` : record.proto],
    ['Created', record.created],
    ['Modified', record.modified],
    ['Touched', record.touched],
    ['Revision', `${record.revisionNum} (${record.revisionId})`],
    ['As of', `position ${record.position}`],
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

async function historyLines(db: Db, history: readonly RevisionRecord[]): Promise<string[]> {
  const names = await namesOf(
    db,
    history.map(({ actor }) => actor),
  )
  const rows = history.map(({ revision, position, type, at, actor, note, draft }) => {
    const who = names.get(actor) ?? actor
    const what = `${type}${draft ? ' (draft)' : ''} by ${who}${note === null || note === '' ? '' : `: ${note}`}`
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
