import type { ImportedAppend } from '../../commands/import.ts'
import { type Commit, type CommitsWanted, readCommits } from './commits.ts'
import type { Contents } from './contents.ts'
import { Lineages } from './lineage.ts'
import type { CommitOrder } from './order.ts'
import { type KnownPeople, People } from './people.ts'
import type { Repository } from './repository.ts'
import { type ReadText, Restorer } from './restore.ts'
import { SiteModel } from './site-model.ts'
import { Targeter } from './targets.ts'
import { instantOf, Telling } from './telling.ts'
import { readMessage } from './trailers.ts'

/** A history and where it goes. */
export interface Replay {
  readonly repository: Repository
  readonly order: CommitOrder
  readonly wanted: CommitsWanted
  /** Path of the topmost folder. */
  readonly base: string
  readonly contents: Contents
  readonly people: KnownPeople
  /** Whether commits of a backup of a site become what they were: only an empty site takes any id and author. */
  readonly restores: boolean
  readonly readText: ReadText
  /** Now: no event is recorded later. */
  readonly now: string
  readonly signal: AbortSignal | undefined
  /** Told after each commit. */
  readonly onCommit: (commit: Commit) => void
}

/**
 * A history of files as appends of pages' events, one for each commit that changes something, in an order in which they can be
 * written. They are recorded when they were committed, but none before one that comes earlier.
 *
 * @throws SOURCE_DAMAGED, what `contents` throws
 */
export async function* replayHistory(replay: Replay): AsyncGenerator<ImportedAppend> {
  const { repository, order, wanted, base, contents, now } = replay
  const people = new People(replay.people)
  const model = new SiteModel(base, contents, path => replay.people.isTaken(path))
  const lineages = new Lineages(order.children)
  const targeter = new Targeter(lineages, model)
  const restorer = replay.restores && new Restorer(model, contents, replay.readText)
  const scope = `${base} ${wanted.subdir}`
  let recordedAt = ''
  for await (const commit of readCommits(repository, order.ids, wanted)) {
    replay.signal?.throwIfAborted()
    const told = restorer ? readMessage(commit.message, commit.id) : null
    if (restorer && told) {
      const { tree } = lineages.treesOf(commit)
      const events = await restorer.eventsOf(commit, told, tree)
      lineages.keep(commit, tree)
      replay.onCommit({ ...commit, changes: [] }) // none of its files is left out
      recordedAt = later(recordedAt, told.recordedAt, now)
      yield { recordedAt, events }
      continue
    }
    const isMain = order.mainline.has(commit.id)
    const isMerge = !wanted.firstParent && commit.parents.length > 1
    const targets = targeter.targetsOf(commit, { isMain, isMerge })
    const telling = new Telling(scope, commit, await people.idOf(commit))
    await model.apply(targets, telling)
    replay.onCommit(commit)
    recordedAt = later(recordedAt, instantOf(commit.committed), now)
    if (telling.events.length === 0) continue
    yield { recordedAt, events: [...(await people.introduce(commit)), ...telling.events] }
  }
}

/** When a commit is recorded that says it was at `committed`: not before `last`, and not after `now`. */
function later(last: string, committed: string, now: string): string {
  if (committed <= last) return last
  return committed > now ? now : committed
}
