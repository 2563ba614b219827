import type { BinaryWriter } from '../pg/binary.ts'
import { parseInstant } from '../pg/instant.ts'
import type { Column, Row } from './define.ts'

/** Writes a value that is not null, and says whether it could: PostgreSQL may take others of the type when they come as text. */
export type WriteValue = (writer: BinaryWriter, value: Column) => boolean

const INT2_MAX = 2 ** 15 - 1
const INT4_MAX = 2 ** 31 - 1
/** Oid of the type integer (src/include/catalog/pg_type.dat). */
const INT4 = 23
const BYTES = /^\\x(?:[0-9a-f]{2})*$/

/** By the type as SQL calls it, as `format_type` does. */
const WRITERS: Readonly<Record<string, WriteValue>> = {
  boolean: (writer, value) => typeof value === 'boolean' && does(writer.bool(value)),
  smallint: (writer, value) => isIntegerTo(INT2_MAX, value) && does(writer.int2(value)),
  integer: (writer, value) => isIntegerTo(INT4_MAX, value) && does(writer.int4(value)),
  bigint: (writer, value) => Number.isSafeInteger(value) && does(writer.int8(value as number)),
  'integer[]': (writer, value) =>
    Array.isArray(value) &&
    value.every(item => isIntegerTo(INT4_MAX, item)) &&
    does(writeIntegers(writer, value)),
  text: (writer, value) => typeof value === 'string' && does(writer.text(value)),
  json: (writer, value) => does(writer.text(JSON.stringify(value))),
  uuid: (writer, value) => typeof value === 'string' && writer.writesUuid(value),
  'timestamp with time zone': (writer, value) => {
    if (typeof value !== 'string') return false
    const ms = parseInstant(value)
    return !Number.isNaN(ms) && does(writer.instantMs(ms, value))
  },
  bytea: (writer, value) =>
    typeof value === 'string' &&
    BYTES.test(value) &&
    does(writer.bytea(Buffer.from(value.slice(2), 'hex'))),
}

/** How values of a type are written in COPY's binary format; null where they only go as text. */
export function binaryWriterOf(type: string): WriteValue | null {
  return WRITERS[type] ?? null
}

/** A column with how its values are written. */
export interface BinaryColumn {
  readonly name: string
  readonly write: WriteValue
}

/**
 * Writes a row in COPY's binary format (PostgreSQL manual, COPY, "Binary Format"). What the row does not have is null.
 *
 * @param until as in `copyLine`
 * @returns whether it could; else nothing is written
 */
export function writeBinaryRow(
  writer: BinaryWriter,
  columns: readonly BinaryColumn[],
  row: Row,
  until: Column | undefined,
): boolean {
  const start = writer.end
  writer.raw2(columns.length)
  for (const { name, write } of columns) {
    const value = name === 'until_position' && until !== undefined ? until : row[name]
    if (value === null || value === undefined) writer.null()
    else if (!write(writer, value)) {
      writer.cut(start)
      return false
    }
  }
  return true
}

function writeIntegers(writer: BinaryWriter, values: readonly number[]): void {
  const opened = writer.open()
  writer.raw(values.length === 0 ? 0 : 1) // dimensions
  writer.raw(0) // no nulls
  writer.raw(INT4)
  if (values.length > 0) {
    writer.raw(values.length)
    writer.raw(1) // the first index
    for (const value of values) writer.int4(value)
  }
  writer.close(opened)
}

function isIntegerTo(max: number, value: unknown): value is number {
  return Number.isInteger(value) && (value as number) <= max && (value as number) >= -max - 1
}

/** Said behind what was written. */
function does(_: unknown): true {
  return true
}
