import { type Db, defineWorker, find } from 'rm3'
import { findTimeBySetting } from '../projections/settings.ts'

const HOURS_MAX = 12
const READABLE = `select from checkpoints where kind = 'worker' and name = 'backup' and (report->>'verified')::boolean`

/** Loads the newest backup into a schema of its own and takes it away again, as often as the setting `backup.drill` says. */
export default defineWorker({
  name: 'restore-drill',
  schedule: { at: findNextDrill },
  timeoutMs: HOURS_MAX * 3_600_000,
  run: ({ commands }) => commands.program('rm3backup', ['rehearse']),
})

/** Not before the worker `backup` has made one, and not where its key is elsewhere. */
async function findNextDrill(db: Db): Promise<string | null> {
  if ((await find(db, READABLE)) === null) return null
  return findTimeBySetting(db, 'restore-drill', 'backup.drill')
}
