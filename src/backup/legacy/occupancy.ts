import type { NewEvent } from '../../content/events.ts'
import { type Findings, refuse, spotOf, warn } from './findings.ts'
import { derivedId } from './ids.ts'
import { type Origin, type Step, synthesised } from './plan.ts'

interface Occupancy {
  readonly origin: Origin
  readonly findings: Findings
  readonly out: Step[]
  /** Which stream is live at a path. */
  readonly at: Map<string, string>
  /** Where each stream's page is, and whether it is live there. */
  readonly pages: Map<string, { path: string; isLive: boolean }>
  /** Streams by the place of the last step that ends their stay at a path. */
  readonly lastLeft: ReadonlyMap<string, number>
  place: number
}

/**
 * `steps` with the endings that the backup does not have: a page that has no record, and whose rows do not end it, was
 * gone when another took its path, or by the time of the backup at the latest.
 *
 * Two pages that are live at one path at one time are refused.
 *
 * @param living the streams of the pages that the backup has records of
 */
export function endStays(
  steps: readonly Step[],
  living: ReadonlySet<string>,
  known: { readonly origin: Origin; readonly findings: Findings },
): Step[] {
  const lastLeft = new Map<string, number>()
  steps.forEach(({ fact }, place) => {
    if (fact.type === 'PageDeleted' || fact.type === 'PageMoved') lastLeft.set(fact.stream, place)
  })
  const at = new Map<string, string>()
  const stays: Occupancy = { ...known, out: [], at, pages: new Map(), lastLeft, place: 0 }
  for (const step of steps) {
    settle(stays, step, living)
    stays.out.push(step)
    stays.place++
  }
  const time = Date.parse(known.origin.dumpedAt)
  for (const stream of at.values()) if (!living.has(stream)) end(stays, stream, time)
  return stays.out
}

function settle(stays: Occupancy, step: Step, living: ReadonlySet<string>): void {
  const { fact } = step
  const page = stays.pages.get(fact.stream)
  const next = pageAfter(fact, page)
  if (next === page || next === undefined) return
  if (page?.isLive) stays.at.delete(page.path)
  stays.pages.set(fact.stream, next)
  if (!next.isLive) return
  const other = stays.at.get(next.path)
  if (other !== undefined && other !== fact.stream) giveWay(stays, { other, step }, living)
  stays.at.set(next.path, fact.stream)
}

function pageAfter(fact: NewEvent, page: { path: string; isLive: boolean } | undefined) {
  switch (fact.type) {
    case 'PageCreated':
      return { path: fact.data.path, isLive: fact.data.draft !== true }
    case 'PageRevised':
      return page && !page.isLive && fact.data.draft !== true ? { ...page, isLive: true } : page
    case 'PagePublished':
      return page && !page.isLive ? { ...page, isLive: true } : page
    case 'PageMoved':
      return { path: fact.data.to, isLive: page?.isLive ?? false }
    case 'PageDeleted':
      return page && { ...page, isLive: false }
    case 'PageUndeleted':
      return { path: fact.data.path, isLive: true }
    default:
      return page
  }
}

function giveWay(
  stays: Occupancy,
  { other, step }: { other: string; step: Step },
  living: ReadonlySet<string>,
): void {
  const path = stays.pages.get(other)?.path ?? ''
  if (!living.has(other) && (stays.lastLeft.get(other) ?? -1) < stays.place) {
    end(stays, other, step.time)
    return
  }
  const { file, place } = step.kept
  const spot = spotOf(typeof file === 'string' ? file : 'catalog.json', undefined, stays.findings)
  const tokens = typeof place === 'string' ? place.split('/') : []
  const message = `at ${step.at} the path ${path} was another page's (${other})`
  refuse({ ...spot, tokens }, 'path-taken', message)
}

function end(stays: Occupancy, stream: string, time: number): void {
  const { origin, findings, pages } = stays
  const page = pages.get(stream)
  if (page === undefined) return
  const message = `the page ${stream} was at ${page.path}; how it ended is not in the backup`
  warn(spotOf('catalog.json', undefined, findings), 'end-unknown', message)
  const eventId = derivedId('rm3 0.x end', origin.identity, stream)
  const at = new Date(time).toISOString()
  const fact: NewEvent = { type: 'PageDeleted', stream, data: {} }
  stays.out.push(synthesised(origin, { fact, eventId, at }, 'gone, it is not known how'))
  pages.set(stream, { ...page, isLive: false })
  stays.at.delete(page.path)
}
