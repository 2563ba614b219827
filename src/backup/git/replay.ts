import type { ImportedAppend } from '../../commands/import.ts'
import { type Commit, type CommitsWanted, readCommits, readMainline } from './commits.ts'
import type { Contents } from './contents.ts'
import { Lineages } from './lineage.ts'
import { type KnownPeople, People } from './people.ts'
import type { Repository } from './repository.ts'
import { SiteModel } from './site-model.ts'
import { Targeter } from './targets.ts'
import { instantOf, Telling } from './telling.ts'

/** A history and where it goes. */
export interface Replay {
  readonly repository: Repository
  readonly wanted: CommitsWanted
  /** Path of the topmost folder. */
  readonly base: string
  readonly contents: Contents
  readonly people: KnownPeople
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
  const { repository, wanted, base, contents, now } = replay
  const mainline = wanted.firstParent ? null : await readMainline(repository)
  const people = new People(replay.people)
  const model = new SiteModel(base, contents, path => replay.people.isTaken(path))
  const targeter = new Targeter(new Lineages(await countChildren(replay)), model)
  const scope = `${base} ${wanted.subdir}`
  let recordedAt = ''
  for await (const commit of readCommits(repository, wanted)) {
    replay.signal?.throwIfAborted()
    const isMain = mainline?.has(commit.id) ?? true
    const isMerge = mainline !== null && commit.parents.length > 1
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

async function countChildren({ repository, wanted }: Replay): Promise<Map<string, number>> {
  const follow = wanted.firstParent ? ['--first-parent'] : []
  const printed = await repository.run(['rev-list', '--parents', ...follow, repository.head])
  const children = new Map<string, number>()
  for (const line of printed.toString('latin1').split('\n')) {
    const [, first, ...others] = line.split(' ')
    const parents = wanted.firstParent ? [first] : [first, ...others]
    for (const id of parents) if (id) children.set(id, (children.get(id) ?? 0) + 1)
  }
  return children
}
