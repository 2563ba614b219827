import { migrate as migrateSchema } from '../../pg/migrate.ts'
import { discoverProjections } from '../../projector/discover.ts'
import { installProjections } from '../../projector/install.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../open.ts'

/** `rm3admin migrate`. */
export const migrate: Command = {
  name: 'migrate',
  summary: 'brings the schema of the database up to date',
  details: 'Every start does so too. Safe to run any number of times, also at once.',
  run: call =>
    withDatabase(call, async ({ url }, { site, unsafeDatabaseAllowed }) => {
      const projections = await discoverProjections()
      const applied = await migrateSchema({
        ...{ url, site, allowUnsafe: unsafeDatabaseAllowed },
        afterwards: db => installProjections(db, projections, { url, site }),
      })
      const text =
        applied.length === 0
          ? `The schema "${site}" is up to date.`
          : [`The schema "${site}" is up to date now:`, ...applied.map(name => `  ${name}`)].join(
              '\n',
            )
      return { text, data: { site, applied } }
    }),
}
