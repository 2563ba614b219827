/**
 * Rows as one text, for reads of many small ones: the driver takes three times as long for a hundred rows of eight columns as the server
 * takes to write them as lines. The characters between fields and lines are those that ASCII has for it: JSON has none of them even
 * where it has space, and neither have ids, numbers, instants and names of types.
 */
const FIELD_END = '\x1f'
const LINE_END = '\x1e'

/**
 * An aggregate that writes rows as lines; null for no rows. `fieldsOf` reads them.
 *
 * @param columns what SQL has between commas; one that is null is left out, so it must be the last
 */
export function linesOf(columns: string, order: string): string {
  return `string_agg(concat_ws(E'\\x1f', ${columns}), E'\\x1e' order by ${order})`
}

/** The fields of each line, as PostgreSQL writes them (see `utcInstant` for instants). */
export function fieldsOf(lines: string | null): string[][] {
  if (lines === null) return []
  return lines.split(LINE_END).map(line => line.split(FIELD_END))
}
