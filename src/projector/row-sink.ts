import { BinaryWriter, COPY_SIGNATURE, COPY_TRAILER } from '../pg/binary.ts'
import type { Bulk } from '../pg/bulk.ts'
import { changeRows } from './change-rows.ts'
import { type BinaryColumn, binaryWriterOf, writeBinaryRow } from './copy-binary.ts'
import { copyLine } from './copy-text.ts'
import type { Column, Row } from './define.ts'
import type { FoldSink } from './fold-streams.ts'
import type { StreamRows } from './stream-rows.ts'
import type { Target, Targets } from './target.ts'

/** Bytes of one table's rows that are gathered before they are sent. */
const GATHERED_BYTES = 128 * 1024

/** Where the rows of folded streams go: COPY into tables that hold none of these streams' rows yet. */
export class RowSink implements FoldSink {
  readonly #bulk: Bulk
  readonly #targets: Targets
  readonly #gathered = new Map<Target, Gathered>()

  constructor(bulk: Bulk, targets: Targets) {
    this.#bulk = bulk
    this.#targets = targets
  }

  /** Takes the final rows of a stream. */
  add(rows: StreamRows): Promise<void> | undefined {
    let isFull = false
    for (const [table, held] of rows.tables()) {
      const target = this.#targets.get(table)
      if (target === undefined) continue
      const gathered = this.#gatheredOf(target)
      for (const { op, row, until } of held) if (op === 'put') gathered.add(row, until)
      isFull ||= gathered.sizeBytes > GATHERED_BYTES
    }
    return isFull ? this.flush() : undefined
  }

  /** Takes changes of rows of which some were taken before, for they are of a stream too long to be held. */
  async change(rows: StreamRows): Promise<void> {
    await this.flush()
    await changeRows(this.#bulk.db, this.#targets, rows.changes())
  }

  async flush(): Promise<void> {
    for (const gathered of this.#gathered.values()) await gathered.send(this.#bulk)
  }

  #gatheredOf(target: Target): Gathered {
    let gathered = this.#gathered.get(target)
    if (gathered === undefined) {
      gathered = new Gathered(target)
      this.#gathered.set(target, gathered)
    }
    return gathered
  }
}

/**
 * Rows of one table as bytes: as texts they would live long enough to cost the garbage collector more than their making. They are written in
 * binary, which neither side has to parse, or as text from the first value on that does not go otherwise.
 */
class Gathered {
  readonly #target: Target
  readonly #binary = new BinaryWriter()
  readonly #lines = new BinaryWriter()
  #columns: readonly BinaryColumn[] | null

  constructor(target: Target) {
    this.#target = target
    this.#columns = binaryColumns(target)
  }

  get sizeBytes(): number {
    return this.#binary.end + this.#lines.end
  }

  add(row: Row, until: Column | undefined): void {
    if (this.#columns !== null) {
      if (this.#binary.end === 0) this.#binary.rawBytes(COPY_SIGNATURE)
      if (writeBinaryRow(this.#binary, this.#columns, row, until)) return
      this.#columns = null
    }
    this.#lines.rawText(copyLine(this.#target.columns, row, until))
  }

  async send({ copyIn }: Bulk): Promise<void> {
    const { name, columns } = this.#target
    const into = `copy ${name} (${columns.map(column => column.name).join(', ')}) from stdin`
    if (this.#binary.end > 0) {
      this.#binary.rawBytes(COPY_TRAILER)
      await copyIn(`${into} (format binary)`, this.#binary.slice(0, this.#binary.end))
      this.#binary.reset()
    }
    if (this.#lines.end > 0) {
      await copyIn(into, this.#lines.slice(0, this.#lines.end))
      this.#lines.reset()
    }
  }
}

function binaryColumns({ columns }: Target): BinaryColumn[] | null {
  const written = columns.flatMap(({ name, type }) => {
    const write = binaryWriterOf(type)
    return write === null ? [] : [{ name, write }]
  })
  return written.length === columns.length ? written : null
}
