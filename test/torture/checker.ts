import type { Asked, Attempt, Ledger, LogRead, StreamRead } from './ledger.ts'

/** An event that is in the log in the end. */
export interface Recorded extends Asked {
  readonly position: number
  readonly token: string
}

/**
 * a: what was acknowledged is there, where it was said to be; b: positions and revisions without a gap or a double, nothing
 * twice; c: what was refused is not there, nor anything nobody asked for, and a refusal was right; d: an append to a stream that
 * began after another was seen has a greater revision; e: a read shows all that was seen before it began, and just what is
 * there; f: the same as d over the whole log; g: an append is there whole and in one piece, for every reader.
 */
export type Rule = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g'

export interface Violation {
  readonly rule: Rule
  readonly text: string
}

/**
 * Holds what clients were told against the log as it is in the end. Linear in the number of operations but for sorting them.
 *
 * An append is *seen* once it was acknowledged or some read or conflict showed it. Since the log is one order and grows at its end
 * only, everything up to the highest position seen must be there for all who begin later.
 *
 * @param log in the order of positions
 */
export function check(ledger: Ledger, log: readonly Recorded[]): Violation[] {
  const violations: Violation[] = []
  const report = (rule: Rule, text: string) => violations.push({ rule, text })
  const truth = indexed(log, report)
  const appends = appendsOf(ledger.attempts)
  for (const append of appends.values()) checkAppend(append, truth, report)
  for (const [token, events] of truth.byToken) {
    if (!appends.has(token)) report('c', `nobody asked for ${token} at ${events[0]?.position}`)
  }
  const steps = [
    ...[...appends.values()].flatMap(append => stepsOfAppend(append, truth, report)),
    ...ledger.attempts.flatMap(attempt => stepsOfConflict(attempt, truth, report)),
    ...ledger.streamReads.flatMap(read => stepsOfStreamRead(read, truth, appends, report)),
    ...ledger.logReads.flatMap(read => stepsOfLogRead(read, truth, appends, report)),
  ]
  sweep(steps.filter(({ time }) => time < Infinity))
  return violations
}

type Report = (rule: Rule, text: string) => void

interface Truth {
  readonly log: readonly Recorded[]
  readonly streams: ReadonlyMap<string, readonly Recorded[]>
  readonly byToken: ReadonlyMap<string, readonly Recorded[]>
}

/** Rule b. */
function indexed(log: readonly Recorded[], report: Report): Truth {
  const streams = new Map<string, Recorded[]>()
  const byToken = new Map<string, Recorded[]>()
  const ids = new Set<string>()
  log.forEach((event, index) => {
    const { position, stream, revision, eventId, token } = event
    if (position !== index + 1) report('b', `position ${position} stands at place ${index + 1}`)
    if (ids.has(eventId)) report('b', `event ${eventId} is there twice`)
    ids.add(eventId)
    const before = pushTo(streams, stream, event)
    if (revision !== before + 1) {
      report('b', `revision ${revision} of ${stream} at ${position} stands at place ${before + 1}`)
    }
    pushTo(byToken, token, event)
  })
  return { log, streams, byToken }
}

function pushTo<Item>(lists: Map<string, Item[]>, key: string, item: Item): number {
  const list = lists.get(key)
  if (list) return list.push(item) - 1
  lists.set(key, [item])
  return 0
}

interface Append {
  readonly token: string
  readonly attempts: readonly Attempt[]
  /** When it was first asked for. */
  readonly invoke: number
  /** When it was first acknowledged. */
  readonly acknowledged: number
}

function appendsOf(attempts: readonly Attempt[]): Map<string, Append> {
  const byToken = new Map<string, Attempt[]>()
  for (const attempt of attempts) pushTo(byToken, attempt.token, attempt)
  const appends = new Map<string, Append>()
  for (const [token, tries] of byToken) {
    const oks = tries.filter(({ result }) => result === 'ok')
    appends.set(token, {
      token,
      attempts: tries,
      invoke: Math.min(...tries.map(({ invoke }) => invoke)),
      acknowledged: Math.min(...oks.map(({ complete }) => complete)),
    })
  }
  return appends
}

/** Rules a, c and g, and that nothing was written twice. */
function checkAppend({ token, attempts }: Append, truth: Truth, report: Report): void {
  const there = truth.byToken.get(token) ?? []
  const wanted = attempts[0]?.events.length ?? 0
  for (const attempt of attempts) {
    if (attempt.result === 'ok' && !isAt(attempt, truth)) {
      report('a', `${token} was acknowledged at ${attempt.position} and is not there`)
    }
    if (attempt.code === 'EVENT_ID_REUSED') {
      report('c', `${token} was refused as a reuse of ids that nobody else has`)
    }
    if (attempt.result === 'conflict' && there.length > 0) {
      report('c', `${token} was refused as a conflict and is at ${there[0]?.position}`)
    }
  }
  if (there.length > 0 && attempts.every(({ result }) => result === 'fail')) {
    report('c', `${token} failed and is at ${there[0]?.position}`)
  }
  if (there.length > wanted) report('b', `${token} is there ${there.length / wanted} times`)
  const [first] = there
  if (first && there.length < wanted) {
    report('g', `${there.length} of ${wanted} events of ${token} are there`)
  }
  if (there.some((event, index) => event.position !== (first?.position ?? 0) + index)) {
    report('g', `${token} is not in one piece`)
  }
}

function isAt({ token, events, position = 0 }: Attempt, { log }: Truth): boolean {
  return events.every((asked, index) => {
    const event = log[position - 1 + index]
    return (
      event?.token === token &&
      event.position === position + index &&
      event.stream === asked.stream &&
      event.revision === asked.revision
    )
  })
}

/** Something that begins, when it looks at what was seen by then, or ends, when it shows positions to others. */
interface Step {
  readonly time: number
  readonly begins: ((seen: Seen) => void) | null
  readonly shows: number
}

interface Seen {
  readonly position: number
}

/** At the same µs what begins goes first: only what surely came before counts. */
function sweep(steps: Step[]): void {
  steps.sort((a, b) => a.time - b.time || Number(b.begins !== null) - Number(a.begins !== null))
  const seen = { position: 0 }
  for (const { begins, shows } of steps) {
    begins?.(seen)
    if (shows > seen.position) seen.position = shows
  }
}

function begin(time: number, begins: (seen: Seen) => void): Step {
  return { time, begins, shows: 0 }
}

function end(time: number, shows: number): Step {
  return { time, begins: null, shows }
}

/** Rules d and f. */
function stepsOfAppend(append: Append, truth: Truth, report: Report): Step[] {
  const there = truth.byToken.get(append.token)
  if (!there) return []
  const begins = begin(append.invoke, seen => {
    for (const event of there) {
      const before = truth.streams.get(event.stream) ?? []
      const later = before[event.revision]
      if (later && later.position <= seen.position) {
        report('d', `${append.token} is before ${later.token}, which was seen before it began`)
      } else if (event.position <= seen.position) {
        report('f', `${append.token} is at ${event.position}, but ${seen.position} was seen before`)
      }
    }
  })
  return [begins, end(append.acknowledged, there.at(-1)?.position ?? 0)]
}

/** A conflict is a read of the revision at which the stream is. */
function stepsOfConflict(attempt: Attempt, truth: Truth, report: Report): Step[] {
  const { result, stream = '', actual = 0, token, events } = attempt
  if (result !== 'conflict') return []
  const asked = events.find(event => event.stream === stream)
  if (!asked || asked.revision === actual + 1) {
    report('c', `${token} was refused although it expected revision ${actual} of ${stream}`)
  }
  return stepsOfShown(
    attempt,
    { stream, revision: actual, who: `the conflict of ${token}` },
    truth,
    report,
  )
}

function stepsOfStreamRead(
  read: StreamRead,
  truth: Truth,
  appends: ReadonlyMap<string, Append>,
  report: Report,
): Step[] {
  const { stream, from, ids } = read
  const events = (truth.streams.get(stream) ?? []).slice(from - 1, from - 1 + ids.length)
  checkShown(read, events, appends, report, `a read of ${stream} from ${from}`)
  if (read.isFull) return []
  const who = `a read of ${stream}`
  return stepsOfShown(read, { stream, revision: from - 1 + ids.length, who }, truth, report)
}

interface Shown {
  readonly stream: string
  /** The last revision that was shown. */
  readonly revision: number
  readonly who: string
}

/** Rule e: the next event of the stream, if any, was not seen before the read began. */
function stepsOfShown(
  read: { invoke: number; complete: number },
  { stream, revision, who }: Shown,
  truth: Truth,
  report: Report,
): Step[] {
  const events = truth.streams.get(stream) ?? []
  const missed = events[revision]
  const begins = begin(read.invoke, seen => {
    if (missed && missed.position <= seen.position) {
      report('e', `${who} ended at revision ${revision}, but ${missed.revision} was seen before`)
    }
  })
  if (revision > events.length)
    report('e', `${who} showed revision ${revision}, which is not there`)
  return [begins, end(read.complete, events[revision - 1]?.position ?? 0)]
}

/** Rules e and g for readers of the log. */
function stepsOfLogRead(
  read: LogRead,
  truth: Truth,
  appends: ReadonlyMap<string, Append>,
  report: Report,
): Step[] {
  const last = read.after + read.ids.length
  const who = `a read of the log behind ${read.after}`
  checkShown(read, truth.log.slice(read.after, last), appends, report, who)
  if (read.isFull) return []
  const [shown, next] = [truth.log[last - 1], truth.log[last]]
  if (read.ids.length > 0 && shown && next?.token === shown.token) {
    report('g', `${who} ended at ${last}, within ${shown.token}`)
  }
  const begins = begin(read.invoke, seen => {
    if (last < seen.position) {
      report('e', `${who} ended at ${last}, but ${seen.position} was seen before`)
    }
  })
  return [begins, end(read.complete, last)]
}

/** Rule e: what was read is what is there, and was asked for before the read ended. */
function checkShown(
  read: { ids: readonly string[]; complete: number },
  events: readonly Recorded[],
  appends: ReadonlyMap<string, Append>,
  report: Report,
  who: string,
): void {
  read.ids.forEach((id, index) => {
    const event = events[index]
    if (event?.eventId !== id) report('e', `${who} showed ${id} where ${event?.eventId} is`)
    const asked = event && appends.get(event.token)
    if (asked && asked.invoke > read.complete) report('e', `${who} showed the future: ${id}`)
  })
}
