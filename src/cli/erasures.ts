import { readErasures } from '../backup/erasures.ts'
import { applyErasures, type Erasure } from '../commands/erasures.ts'
import { eraserOf } from '../open-eraser.ts'
import type { Call, Outcome } from './command.ts'
import { openStores, withDatabase, withOpenSite } from './open.ts'

/** Does erasures again on the site. @returns those that were not done there yet */
export function eraseAgain(call: Call, erasures: readonly Erasure[]): Promise<Erasure[]> {
  return withDatabase(call, (database, config) =>
    withOpenSite(call, database, config, async open => {
      const stores = await openStores(config)
      return applyErasures(
        eraserOf(open, { url: database.url, site: config.site }, stores),
        erasures,
      )
    }),
  )
}

/** What a load came to, with the erasures that `--erasures` names done again behind it. @throws what `readErasures` throws, before anything is loaded */
export async function withErasures(call: Call, load: () => Promise<Outcome>): Promise<Outcome> {
  const source = call.option('erasures')
  if (source === null) return load()
  const erasures = readErasures(source)
  const outcome = await load()
  if (call.flag('dry-run')) return outcome
  const again = await eraseAgain(call, erasures)
  return {
    ...outcome,
    text: `${outcome.text}\n  ${again.length} of ${erasures.length} erasures that ${source} knows were done again`,
    data: { ...(outcome.data as object), erasedAgain: again.length },
  }
}
