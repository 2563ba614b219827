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

/**
 * What it takes to load a backup, itself last: an increment needs all up to the whole archive that it goes back to.
 *
 * @returns the shortest; null when something of it is not there
 */
export function chainOf(
  backups: readonly ShelvedBackup[],
  backup: ShelvedBackup,
): ShelvedBackup[] | null {
  if (backup.since === null) return [backup]
  let shortest: ShelvedBackup[] | null = null
  for (const parent of parentsOf(backups, backup)) {
    const chain = chainOf(backups, parent)
    if (chain === null || (shortest !== null && chain.length >= shortest.length)) continue
    shortest = chain
  }
  return shortest && [...shortest, backup]
}
