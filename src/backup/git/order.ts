import type { CommitsWanted } from './commits.ts'
import type { Repository } from './repository.ts'

/** In which order the commits of a history are told. */
export interface CommitOrder {
  readonly ids: readonly string[]
  /** The head, its first parent, that one's first parent and so on. */
  readonly mainline: ReadonlySet<string>
  /** How many commits have each as their parent. */
  readonly children: Map<string, number>
}

/**
 * The commits that lead to the head: each after its parents, the main line before what a merge brings into it, and that right before the
 * merge. So the main line is never between two commits of a branch. (`git log --topo-order` has it so too, but not when a branch had taken
 * in the main line.)
 *
 * @throws SOURCE_DAMAGED
 */
export async function readOrder(
  { run, head }: Repository,
  { firstParent }: CommitsWanted,
): Promise<CommitOrder> {
  const follow = firstParent ? ['--first-parent'] : []
  const printed = await run(['rev-list', '--parents', ...follow, head])
  const parents = new Map<string, readonly string[]>()
  const children = new Map<string, number>()
  for (const line of printed.toString('latin1').trimEnd().split('\n')) {
    const [id = '', ...all] = line.split(' ')
    const own = firstParent ? all.slice(0, 1) : all
    parents.set(id, own)
    for (const parent of own) children.set(parent, (children.get(parent) ?? 0) + 1)
  }
  const mainline = new Set<string>()
  for (let id: string | undefined = head; id !== undefined; id = parents.get(id)?.[0]) {
    mainline.add(id)
  }
  return { ids: parentsFirst(head, parents), mainline, children }
}

function parentsFirst(head: string, parents: ReadonlyMap<string, readonly string[]>): string[] {
  const ids: string[] = []
  const seen = new Set([head])
  const path = [{ id: head, next: 0 }]
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const parent = parents.get(step.id)?.[step.next++]
    if (parent === undefined) {
      ids.push(step.id)
      path.pop()
    } else if (!seen.has(parent) && parents.has(parent)) {
      seen.add(parent)
      path.push({ id: parent, next: 0 })
    }
  }
  return ids
}
