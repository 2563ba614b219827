import type { Step } from './plan.ts'

/** Adds `more` to a stream at their times, in their order, never before its first step. Both are oldest first. */
export function addToStream(stream: Step[], more: readonly Step[]): void {
  let place = 1
  let time = stream[0]?.time ?? Number.NEGATIVE_INFINITY
  for (const step of more) {
    step.time = time = Math.max(time, step.time)
    while (place < stream.length && (stream[place]?.joined || (stream[place]?.time ?? 0) <= time))
      place++
    stream.splice(place, 0, step)
    place++
  }
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
