import type { Step } from './plan.ts'

/** A stream with `more` put in at their times, never before its first step. Both are oldest first. */
export function withSteps(stream: readonly Step[], more: readonly Step[]): Step[] {
  const merged: Step[] = []
  let place = 0
  let time = stream[0]?.time ?? Number.NEGATIVE_INFINITY
  for (const step of more) {
    step.time = time = Math.max(time, step.time)
    for (let next = stream[place]; next !== undefined; next = stream[++place]) {
      if (!next.joined && next.time > time) break
      merged.push(next)
    }
    merged.push(step)
  }
  return [...merged, ...stream.slice(place)]
}

/**
 * The steps of all streams in one order of time.
 *
 * Within a stream the order stays. At one instant the stream that began first goes first, then the shorter path, so
 * that parents come before children.
 *
 * @param until the time after which nothing can have happened: later steps count as of then
 */
export function mergeStreams(streams: ReadonlyMap<string, readonly Step[]>, until: number): Step[] {
  const ranked = [...streams.values()]
    .filter(steps => steps.length > 0)
    .map(steps => ({ steps, start: steps[0]?.time ?? 0, path: pathOf(steps[0]) }))
  ranked.sort(
    (one, other) =>
      one.start - other.start ||
      one.path.split('.').length - other.path.split('.').length ||
      (one.path < other.path ? -1 : Number(one.path > other.path)),
  )
  const all = ranked.flatMap(({ steps }, rank) =>
    steps.map((step, place) => ({ step, rank, place })),
  )
  for (const { step } of all) step.time = Math.min(step.time, until)
  all.sort(
    (one, other) =>
      one.step.time - other.step.time || one.rank - other.rank || one.place - other.place,
  )
  return all.map(({ step }) => step)
}

function pathOf(step: Step | undefined): string {
  return step?.fact.type === 'PageCreated' ? step.fact.data.path : ''
}
