import { defineWorker } from 'rm3'
import { findTimeBySetting } from '../projections/settings.ts'

const HOURS_MAX = 12

/** Loads the newest backup into a schema of its own and takes it away again, as often as the setting `backup.drill` says. */
export default defineWorker({
  name: 'restore-drill',
  schedule: { at: db => findTimeBySetting(db, 'restore-drill', 'backup.drill') },
  timeoutMs: HOURS_MAX * 3_600_000,
  run: ({ commands }) => commands.program('rm3backup', ['rehearse']),
})
