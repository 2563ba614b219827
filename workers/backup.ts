import { defineWorker } from 'rm3'
import { findTimeBySetting } from '../projections/settings.ts'

const HOURS_MAX = 12

/** Backs the site up as often as the setting `backup.schedule` says. A program of its own does it: memory and time are its own. */
export default defineWorker({
  name: 'backup',
  schedule: { at: db => findTimeBySetting(db, 'backup', 'backup.schedule') },
  timeoutMs: HOURS_MAX * 3_600_000,
  triesMax: 1_000, // a disk that was full for a night must not end all backups
  run: ({ commands }) => commands.program('rm3backup', ['scheduled']),
})
