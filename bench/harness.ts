/** One figure of a benchmark, held against the limit measured in the same run. */
export interface Figure {
  readonly name: string
  readonly case: string
  readonly value: number
  readonly unit: string
  /** What the limit reached; null where a figure stands alone. */
  readonly limit: number | null
  readonly limitName: string | null
  /** `value / limit`, or the value itself where there is no limit. */
  readonly ratio: number
  /** What must hold: `>= 0.5`, `<= 2`. */
  readonly must: string
  readonly ok: boolean
}

export interface Measured {
  readonly case: string
  readonly value: number
  readonly unit: string
  readonly limit?: number
  readonly limitName?: string
  readonly must: `>= ${number}` | `<= ${number}`
}

/** What a benchmark is given. */
export interface Bench {
  /** URL of an empty database of a server that keeps its promises (fsync on). */
  readonly url: string
  report(measured: Measured): void
  /** Something worth knowing beside the figures. */
  say(text: string): void
}

/** A figure with its ratio and whether it holds. */
export function figure(name: string, measured: Measured): Figure {
  const { value, unit, limit = null, limitName = null, must } = measured
  const ratio = limit === null ? value : value / limit
  const [operator, bound] = must.split(' ') as ['>=' | '<=', string]
  const ok = operator === '>=' ? ratio >= Number(bound) : ratio <= Number(bound)
  return {
    name,
    case: measured.case,
    value: rounded(value),
    unit,
    limit: limit === null ? null : rounded(limit),
    limitName,
    ratio: rounded(ratio),
    must,
    ok,
  }
}

/** Times of single operations in ms, and what follows from them. */
export interface Run {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** Runs `operation` from `writers` loops at once for `forMs`, after a warm-up of a quarter of that. */
export async function load(
  writers: number,
  forMs: number,
  operation: (writer: number, turn: number) => Promise<void>,
): Promise<Run> {
  await loops(writers, forMs / 4, operation, 0)
  const times = await loops(writers, forMs, operation, 1_000_000)
  times.sort((a, b) => a - b)
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  return { perSecond: (times.length / forMs) * 1000, p50: at(0.5), p99: at(0.99) }
}

async function loops(
  writers: number,
  forMs: number,
  operation: (writer: number, turn: number) => Promise<void>,
  firstTurn: number,
): Promise<number[]> {
  const times: number[] = []
  const end = performance.now() + forMs
  const loop = async (_: unknown, writer: number) => {
    for (let turn = firstTurn; ; turn++) {
      const start = performance.now()
      if (start >= end) return
      await operation(writer, turn)
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: writers }, loop))
  return times
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
