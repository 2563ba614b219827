import { Rm3Error } from '../errors.ts'
import { discover, type Found } from '../plugins.ts'
import { type Projection, tablesOf } from './define.ts'

/**
 * The projections of rm3, by file name, then those of the site's plugins (see `src/plugins.ts`).
 *
 * A plugin's projection is async: a save must not depend on code that a process started elsewhere would not find.
 *
 * @param folder the site's
 * @throws CONFIG_INVALID also when a definition is not a projection or two have a table of the same name
 */
export async function discoverProjections(folder?: string): Promise<Projection[]> {
  const found = await discover('projections', folder)
  const projections = found.map(checked)
  const owners = new Map(CORE_TABLES.map(table => [table, 'rm3']))
  for (const projection of projections) {
    for (const table of tablesOf(projection)) {
      const other = owners.get(table)
      if (other !== undefined) {
        throw invalid(`"${projection.name}" has a table "${table}", which "${other}" has already`)
      }
      owners.set(table, projection.name)
    }
  }
  return projections
}

/** Tables that no projection may replace. */
export const CORE_TABLES: readonly string[] = [
  ...['log', 'log_head', 'checkpoints', 'migrations', 'projections', 'skipped_events'],
  ...['credential_secrets', 'sessions', 'idempotency_keys', 'rate_limits'],
  ...['rebuilds', 'rebuild_chunks', 'rebuild_sums', 'scrubs', 'stand_ins', 'events'],
]

const NAME = /^[a-z][a-z0-9_]{0,40}$/

function checked({ definition, file, plugin }: Found): Projection {
  const projection = definition as Projection
  const { mode, version, sql, tables } = projection
  const isWhole =
    (mode === 'inline' || mode === 'async') &&
    Number.isInteger(version) &&
    typeof sql === 'string' &&
    typeof tables === 'object' &&
    ('step' in projection || 'apply' in projection)
  if (!isWhole) throw invalid(`${file} is not a projection; see docs/how-to/write-a-projection.md`)
  const misnamed = tablesOf(projection).find(table => !NAME.test(table))
  if (misnamed !== undefined) throw invalid(`${file}: "${misnamed}" cannot be a table's name`)
  if (plugin !== null && mode !== 'async') {
    throw invalid(`${file}: a plugin's projection is async, not "${mode}"`)
  }
  return projection
}

function invalid(problem: string): Rm3Error {
  return new Rm3Error('CONFIG_INVALID', problem)
}
