import { defineWorker } from 'rm3'

/** Compares the projections with the log, part by part, so that a round over everything takes a week. It changes nothing. */
export default defineWorker({
  name: 'scrub',
  schedule: { every: '10m' },
  run: async ({ commands, signal, say }) => {
    const report = await commands.scrub(signal)
    if (report.differences > 0) {
      say(
        `${report.differences} differences from the log: rm3admin verify names them, --repair mends them`,
      )
    }
    return { ...report }
  },
})
