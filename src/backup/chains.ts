import type { ShelvedBackup } from './shelf.ts'

/** The archives that an increment can continue, of those there are: made before it, of the place in the log at which it begins. */
export function parentsOf(
  backups: readonly ShelvedBackup[],
  { since, site, at }: ShelvedBackup,
): ShelvedBackup[] {
  if (since === null) return []
  return backups.filter(
    it =>
      it.kind === 'archive' &&
      it.site === site &&
      it.at < at &&
      it.position === since.position &&
      it.chain === since.chain,
  )
}

/** What it takes to load a backup, itself last; null when something of it is not there. */
export type Chain = readonly ShelvedBackup[] | null

/** What it takes to load each of the backups that there are, the oldest first: each is looked at once, however many an increment could continue. */
export function chainsOf(backups: readonly ShelvedBackup[]): Map<ShelvedBackup, Chain> {
  const chains = new Map<ShelvedBackup, Chain>()
  const oldestFirst = backups.toSorted((one, other) => (one.at < other.at ? -1 : 1))
  for (const backup of oldestFirst) {
    chains.set(backup, shortest(backup, parentsOf(backups, backup), chains))
  }
  return chains
}

/** What it takes to load a backup, with those that there are: an increment needs all up to the whole archive that it goes back to. */
export function chainOf(backups: readonly ShelvedBackup[], backup: ShelvedBackup): Chain {
  return shortest(backup, parentsOf(backups, backup), chainsOf(backups))
}

function shortest(
  backup: ShelvedBackup,
  parents: readonly ShelvedBackup[],
  chains: ReadonlyMap<ShelvedBackup, Chain>,
): Chain {
  if (backup.since === null) return [backup]
  let found: Chain = null
  for (const parent of parents) {
    const chain = chains.get(parent) ?? null
    if (chain !== null && (found === null || chain.length < found.length)) found = chain
  }
  return found && [...found, backup]
}
