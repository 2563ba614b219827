import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LegacyBackup } from '../../../src/backup/legacy/backup.ts'
import { readLegacyBackup } from '../../../src/backup/legacy/backup.ts'
import type { PlannedEvent } from '../../../src/backup/legacy/plan.ts'
import { checkPlan } from './plan-rules.ts'

export type Loose = Record<string, unknown>
/** An old backup before it is written: name of file → JSON value, text or bytes. */
export type OldBackup = Map<string, unknown>

/** A fixed uuid for the number `n`, never one of version 1. */
export function id(n: number): string {
  return `00000000-0000-4000-a000-${String(n).padStart(12, '0')}`
}

/** The instant `minute` minutes after the start of 2016. */
export function at(minute: number): string {
  return new Date(Date.UTC(2016, 0, 1) + minute * 60_000).toISOString()
}

export const DUMPED_AT = '2018-01-01T00:00:00.000Z'
const PUBLISHED = { __machina__: { publish: { state: 'published', priorState: 'draft' } } }

interface RowOf {
  path: string
  entity: number
  revision: number
  minute: number
  evtClass?: string
  num?: number
  base?: number
  final?: boolean
  endMinute?: number
  title?: string
  actor?: string
  more?: Loose
  toData?: Loose
  data?: Loose
}

/** A row as rm3 0.3 to 0.5 write it. */
export function row(of: RowOf): Loose {
  const { path, entity, revision, minute, evtClass = 'Create', num = 1, final = true } = of
  const content = evtClass === 'Create' || evtClass === 'Update'
  const end = of.endMinute === undefined ? minute : of.endMinute
  return {
    path: { path: path.split('.') },
    entityId: evtClass.startsWith('rm3:') ? null : id(entity),
    note: '',
    baseRevisionId: of.base === undefined ? null : id(of.base),
    replaceRevisionId: null,
    revisionId: id(revision),
    revisionNum: num,
    evtStart: at(minute),
    evtEnd: final ? at(end) : null,
    evtTouched: at(minute),
    evtClass,
    evtFinal: final,
    actorPath: of.actor === undefined ? 'root' : { path: of.actor.split('.') },
    workflow: PUBLISHED,
    data: content ? { toData: { ...contentOf(of), ...of.toData }, ...of.data } : (of.data ?? {}),
    actorProto: null,
    actorSummary: null,
    ...of.more,
  }
}

function contentOf({ path, entity, minute, title = 'Title' }: RowOf): Loose {
  return {
    path,
    stub: false,
    entityId: id(entity),
    proto: 'base',
    modified: at(minute),
    hidden: false,
    created: at(minute),
    touched: at(minute),
    summary: { title, abstract: '' },
    data: { posting: { format: 'markdown', source: title, htmlslabs: [title] } },
    tags: {},
    fullTextString: title,
  }
}

/** The record of a page whose head is `head`, one of `history` or like one. */
export function record(path: string, head: Loose, history: Loose[], more: Loose = {}): Loose {
  const { toData = {} } = head['data'] as { toData?: Loose }
  const { fullTextString: _, ...content } = toData
  return {
    ...content,
    path,
    entityId: head['entityId'],
    revisionId: head['revisionId'],
    revisionNum: head['revisionNum'],
    touched: head['evtTouched'],
    history,
    dump_date: DUMPED_AT,
    dump_version: '0.5.0',
    ...more,
  }
}

/** A page made by one row. */
export function simplePage(path: string, n: number, more: Partial<RowOf> = {}): Loose {
  const made = row({ path, entity: n, revision: n + 1, minute: n, ...more })
  return record(path, made, [made])
}

/** A backup of these records. `catalog` and the other files can be changed before it is written. */
export function backupOf(...records: Loose[]): OldBackup {
  const files: OldBackup = new Map()
  const catalog: Loose = {}
  for (const page of records) {
    const path = String(page['path'])
    catalog[path] = { main: `${path}-data.json` }
    files.set(`${path}-data.json`, page)
  }
  files.set('permissions.json', [])
  files.set('credentials.json', [])
  files.set('catalog.json', {
    ...catalog,
    _permissions: 'permissions.json',
    _credentials: 'credentials.json',
    _dump_date: DUMPED_AT,
    _dump_version: '0.5.0',
  })
  return files
}

/** Lists a blob in the catalog and adds its file. */
export function addBlob(
  files: OldBackup,
  blob: { path: string; name: string; revision: number; bytes: string; category?: string },
): string {
  const { path, name, revision, bytes, category = 'public' } = blob
  const file = `${path}-${id(revision)}-${name}`
  const catalog = files.get('catalog.json') as Record<string, { blobs?: Loose }>
  const entry = catalog[path]
  if (entry === undefined) throw new Error(`no page ${path}`)
  entry.blobs = {
    ...entry.blobs,
    [file]: {
      ...{ category, provider: 'fileblobstore', entityPath: path, blobPath: name },
      ...{ revisionId: id(revision), source: true, temporary: false },
      details: { filePath: `/old/${file}`, urlPath: file },
    },
  }
  files.set(file, Buffer.from(bytes))
  return file
}

/** Calls `use` with a new folder that is gone afterwards. */
export async function inFolder<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'rm3-legacy-'))
  try {
    return await use(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Writes the backup's files into `dir`. */
export async function writeBackup(dir: string, files: OldBackup): Promise<void> {
  for (const [name, value] of files) {
    const raw = typeof value === 'string' || Buffer.isBuffer(value)
    await writeFile(join(dir, name), raw ? value : JSON.stringify(value))
  }
}

/** Writes and reads the backup, and checks what every plan keeps to. */
export async function readBack(files: OldBackup): Promise<LegacyBackup> {
  return inFolder(async dir => {
    await writeBackup(dir, files)
    const backup = await readLegacyBackup(dir)
    checkPlan(backup)
    return backup
  })
}

/** The events of one stream, in its order. */
export function streamOf(backup: LegacyBackup, entity: number): PlannedEvent[] {
  return backup.events
    .flatMap(append => append.events)
    .filter(({ stream }) => stream === id(entity))
}

/** Types of events, short: those of drafts have a `?` behind. */
export function typesOf(events: readonly PlannedEvent[]): string[] {
  return events.map(({ type, data }) => ('draft' in data && data.draft ? `${type}?` : type))
}

/** The rules of the warnings, each once. */
export function rulesOf(backup: LegacyBackup): string[] {
  return [...new Set(backup.warnings.map(({ rule }) => rule))]
}
