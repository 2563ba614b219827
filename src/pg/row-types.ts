import type { BinaryWriter } from './binary.ts'

/** A column's value: what JSON can say, or bytes. An object is written as JSON text. */
export type Value = null | boolean | number | string | object

/** A row: its columns by name. A column that is missing is null. */
export type RowValues = Readonly<Record<string, Value | undefined>>

type Write = (writer: BinaryWriter, value: Value) => void

interface Member {
  readonly name: string
  readonly oid: number
  readonly isPosition: boolean
  readonly write: Write
}

/** A composite type of the database, and how values of it are written in binary. */
export interface RowType {
  readonly oid: number
  readonly members: readonly Member[]
}

/** How values of PostgreSQL's own types are written, by the type's oid (src/include/catalog/pg_type.dat). */
const WRITERS: Readonly<Record<number, Write>> = {
  16: (writer, value) => writer.bool(value as boolean),
  17: (writer, value) => writer.bytea(bytesOf(value)),
  20: (writer, value) => writer.int8(value as number),
  21: (writer, value) => writer.int2(value as number),
  23: (writer, value) => writer.int4(value as number),
  25: (writer, value) => writer.text(textOf(value)),
  114: (writer, value) => writer.text(JSON.stringify(value)),
  1184: (writer, value) => writer.instant(value as string),
  2950: (writer, value) => writer.uuid(value as string),
}

/** Names of the types that are written in binary; a column of another type goes as text. */
export const BINARY_TYPES: ReadonlySet<string> = new Set([
  'boolean',
  'bytea',
  'bigint',
  'smallint',
  'integer',
  'text',
  'json',
  'timestamp with time zone',
  'uuid',
])

/**
 * A composite type as the catalog has it.
 *
 * @param members names and types' oids, in the order of the type
 * @throws an Error when a member is of a type that is not written in binary
 */
export function rowType(oid: number, members: readonly (readonly [string, number])[]): RowType {
  return {
    oid,
    members: members.map(([name, type]) => {
      const write = WRITERS[type]
      if (write === undefined)
        throw new Error(`${name} has the type ${type}, which rows cannot have`)
      return { name, oid: type, isPosition: isPositionColumn(name), write }
    }),
  }
}

const POSITION = /(^|_)position$/

/** Whether a column holds positions, by its name. */
export function isPositionColumn(name: string): boolean {
  return POSITION.test(name)
}

/**
 * Writes a row as a value of its type.
 *
 * @param offset counted on to positions that are not known yet, which are negative
 */
export function writeRow(writer: BinaryWriter, type: RowType, row: RowValues, offset = 0): void {
  const opened = writer.open()
  writer.raw(type.members.length)
  for (const { name, oid, isPosition, write } of type.members) {
    writer.raw(oid)
    const value = row[name]
    if (value === null || value === undefined) writer.null()
    else if (isPosition && (value as number) < 0) write(writer, (value as number) - offset)
    else write(writer, value)
  }
  writer.close(opened)
}

/** Begins an array of `length` elements of the type with that oid, to be written next. @returns what `writer.close` needs */
export function openArray(writer: BinaryWriter, type: number, length: number): number {
  const opened = writer.open()
  writer.raw(1) // dimensions
  writer.raw(0) // no nulls
  writer.raw(type)
  writer.raw(length)
  writer.raw(1) // the first index
  return opened
}

function textOf(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Bytes as they are, or as PostgreSQL writes them: `\x` and hexadecimal. */
function bytesOf(value: Value): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from((value as string).slice(2), 'hex')
}
