import type { Bulk } from '../pg/bulk.ts'
import { changeRows } from './change-rows.ts'
import { copyLine } from './copy-text.ts'
import type { FoldSink } from './fold-streams.ts'
import type { StreamRows } from './stream-rows.ts'
import type { Target, Targets } from './target.ts'

/** Bytes of one table's rows that are gathered before they are sent. */
const GATHERED_BYTES = 256 * 1024
/** Most bytes of UTF-8 that a unit of a text takes. */
const UNIT_BYTES = 3

/** Rows of one table as bytes: as texts they would live long enough to cost the garbage collector more than their making. */
interface Gathered {
  bytes: Buffer
  length: number
}

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
      for (const { op, row, until } of held) {
        if (op === 'put') gather(gathered, copyLine(target.columns, row, until))
      }
      isFull ||= gathered.length > GATHERED_BYTES
    }
    return isFull ? this.flush() : undefined
  }

  /** Takes changes of rows of which some were taken before, for they are of a stream too long to be held. */
  async change(rows: StreamRows): Promise<void> {
    await this.flush()
    await changeRows(this.#bulk.db, this.#targets, rows.changes())
  }

  async flush(): Promise<void> {
    for (const [target, gathered] of this.#gathered) {
      if (gathered.length === 0) continue
      const list = target.columns.map(({ name }) => name).join(', ')
      await this.#bulk.copyIn(
        `copy ${target.name} (${list}) from stdin`,
        gathered.bytes.subarray(0, gathered.length),
      )
      gathered.length = 0
    }
  }

  #gatheredOf(target: Target): Gathered {
    let gathered = this.#gathered.get(target)
    if (gathered === undefined) {
      gathered = { bytes: Buffer.allocUnsafeSlow(2 * GATHERED_BYTES), length: 0 }
      this.#gathered.set(target, gathered)
    }
    return gathered
  }
}

function gather(gathered: Gathered, line: string): void {
  const needed = gathered.length + line.length * UNIT_BYTES
  if (needed > gathered.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(2 * needed)
    gathered.bytes.copy(larger, 0, 0, gathered.length)
    gathered.bytes = larger
  }
  gathered.length += gathered.bytes.write(line, gathered.length)
}
