import type { Document } from '../content/document.ts'
import { Rm3Error } from '../errors.ts'

/** A page as it is given to readers. `summary`, `data` and `tags` are JSON text, passed on without parsing. */
export interface PageRecord {
  readonly entityId: string
  readonly path: string
  /** Position of the event that last changed what is shown. */
  readonly position: number
  readonly revision: number
  readonly revisionId: string
  /** The number people know the revision by: that of rm3 0.x where it was imported. */
  readonly number: number
  readonly proto: string
  readonly hidden: boolean
  readonly created: string
  readonly modified: string
  readonly touched: string
  /** 'root', 'nobody', 'system' or the entity id of a user. */
  readonly author: string
  readonly summary: string
  readonly data: string
  readonly tags: string
  /** Only there, and true, when it was never live. */
  readonly draft?: true
}

/** The document of a record. */
export function documentIn(record: PageRecord): Document {
  const { proto, hidden, summary, data, tags } = record
  return {
    proto,
    hidden,
    summary: JSON.parse(summary),
    data: JSON.parse(data),
    tags: JSON.parse(tags),
  }
}

const FIELDS = {
  path: page => text(page.path),
  entityId: page => text(page.entityId),
  revisionId: page => text(page.revisionId),
  revisionNum: page => String(page.number),
  revision: page => String(page.revision),
  proto: page => JSON.stringify(page.proto),
  hidden: page => String(page.hidden),
  created: page => text(page.created),
  modified: page => text(page.modified),
  touched: page => text(page.touched),
  author: page => text(page.author),
  summary: page => page.summary,
  data: page => page.data,
  tags: page => page.tags,
  position: page => String(page.position),
  draft: page => String(page.draft === true),
} satisfies Record<string, (page: PageRecord) => string>

/** A name in a record. */
export type Field = keyof typeof FIELDS
/** The names in a record, in their order. */
export const RECORD_FIELDS = Object.keys(FIELDS) as Field[]
/** Those of an entry of a listing: all but the large part. */
export const ENTRY_FIELDS = RECORD_FIELDS.filter(field => field !== 'data')

/** A page as the JSON text of the record. */
export function recordText(page: PageRecord, fields: readonly Field[] = RECORD_FIELDS): string {
  let json = ''
  for (const field of fields) {
    json += `${json === '' ? '{' : ','}"${field}":${FIELDS[field](page)}`
  }
  return `${json}}`
}

/**
 * The fields that `?fields=` asks for, in the record's order.
 *
 * @param list names with commas between
 * @throws REQUEST_INVALID naming the one that is none
 */
export function parseFields(list: string): Field[] {
  const wanted = new Set(list.split(','))
  for (const name of wanted) {
    if (Object.hasOwn(FIELDS, name)) continue
    throw new Rm3Error(
      'REQUEST_INVALID',
      `fields: "${name.slice(0, 40)}" is none of ${RECORD_FIELDS.join(', ')}`,
      { parameter: 'fields' },
    )
  }
  return RECORD_FIELDS.filter(field => wanted.has(field))
}

/** For values that hold nothing JSON would escape: ids, paths, instants, names of actors. */
function text(value: string): string {
  return `"${value}"`
}
