import { resolve } from 'node:path'
import { readErasures } from '../backup/erasures.ts'
import { applyErasures, type Erasure } from '../commands/erasures.ts'
import { Rm3Error } from '../errors.ts'
import { eraserOf } from '../open-eraser.ts'
import { keysOf } from './archive-keys.ts'
import type { Call, Outcome } from './command.ts'
import { openStores, withDatabase, withOpenSite } from './open.ts'

/** The erasures that a source on the command line tells of; `-` is stdin. @throws what `readErasures` throws, KEY_INVALID */
export async function erasuresOf(call: Call, source: string): Promise<Erasure[]> {
  const { stdin, cwd } = call.terminal
  const [name, path] = source === '-' ? ['stdin', null] : [source, resolve(cwd, source)]
  return readErasures({ name, path, stdin, keys: await keysOf(call) })
}

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

/** What a load came to, with the erasures that `--erasures` names done again behind it. @throws what `erasuresOf` throws, before anything is loaded */
export async function withErasures(call: Call, load: () => Promise<Outcome>): Promise<Outcome> {
  const source = call.option('erasures')
  if (source === null) return load()
  if (source === '-' && [...call.options('archive'), call.option('file')].includes('-')) {
    throw new Rm3Error('USAGE', 'stdin can be read once')
  }
  const erasures = await erasuresOf(call, source)
  const outcome = await load()
  const isLoaded = !call.flag('dry-run') && (outcome.exitCode ?? 0) === 0
  if (!isLoaded) return outcome
  const again = await eraseAgain(call, erasures)
  return {
    ...outcome,
    text: `${outcome.text}\n  ${again.length} of ${erasures.length} erasures that ${source} knows were done again`,
    data: { ...(outcome.data as object), erasedAgain: again.length },
  }
}
