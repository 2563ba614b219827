import type { Column, Row } from './define.ts'

/**
 * How a column's values are written: `json` as JSON text, `array` as an array's text, `bare` (numbers, instants, ids) as they are, for
 * nothing in them needs to be escaped, everything else as plain text.
 */
export type ColumnKind = 'json' | 'array' | 'bare' | 'plain'

export interface CopyColumn {
  readonly name: string
  readonly kind: ColumnKind
}

/**
 * A row as a line of COPY's text format (PostgreSQL manual, COPY, "Text Format"). What the row does not have is null, as
 * it is where the append writes it.
 *
 * @param until what the column `until_position` is in place of what the row says; undefined when the row says it
 */
export function copyLine(
  columns: readonly CopyColumn[],
  row: Row,
  until: Column | undefined,
): string {
  let line = ''
  let separator = ''
  for (const { name, kind } of columns) {
    const value = name === 'until_position' && until !== undefined ? until : row[name]
    line += separator + textOf(value, kind)
    separator = '\t'
  }
  return `${line}\n`
}

function textOf(value: Column | undefined, kind: ColumnKind): string {
  if (value === null || value === undefined) return '\\N'
  if (kind === 'bare') return String(value)
  if (kind === 'json') return escaped(JSON.stringify(value))
  switch (typeof value) {
    case 'string':
      return escaped(value)
    case 'object':
      return escaped(kind === 'array' ? arrayText(value) : JSON.stringify(value))
    default:
      return String(value)
  }
}

const SPECIAL = /[\\\n\r\t]/
const NAMES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, sign => NAMES[sign] ?? sign) : text
}

/** The text of an array (PostgreSQL manual, 8.15.2). */
function arrayText(value: object): string {
  if (!Array.isArray(value)) throw new Error('the value of an array column is not an array')
  const items = value.map((item: Column) => {
    if (item === null) return 'null'
    if (typeof item === 'number') return String(item)
    if (Array.isArray(item)) return arrayText(item)
    const text = typeof item === 'object' ? JSON.stringify(item) : String(item)
    return `"${text.replace(/["\\]/g, '\\$&')}"`
  })
  return `{${items.join(',')}}`
}
