import { defineWorker } from 'rm3'
import { findNextPublication, listDuePublications } from '../projections/schedules.ts'

/** Publications in one run; more are due again at once. */
const PUBLICATIONS_MAX = 200

/** Makes the revisions live whose time has come. */
export default defineWorker({
  name: 'publish-scheduled',
  schedule: { at: findNextPublication },
  triesMax: 1_000, // who is waited for must not be forgotten because the database was away for a while
  run: async ({ db, commands, now, signal, say }) => {
    const report = { published: 0, ended: 0, absent: 0 }
    let failure: unknown = null
    for (const due of await listDuePublications(db, now(), PUBLICATIONS_MAX)) {
      signal.throwIfAborted()
      try {
        report[await commands.publishScheduled(due.entityId, due.schedule)]++
      } catch (thrown) {
        say(`${due.schedule} of the page ${due.entityId}: ${String(thrown)}`)
        failure = thrown
      }
    }
    if (failure !== null) throw failure
    return report
  },
})
