import { type LogProof, verifyLog } from '../../log/verify.ts'
import type { Db } from '../../pg/db.ts'
import { migrate as migrateSchema } from '../../pg/migrate.ts'
import { discoverProjections } from '../../projector/discover.ts'
import { installProjections } from '../../projector/install.ts'
import type { Call, Command, Outcome } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { withDatabase, withSite } from '../open.ts'

const migrate: Command = {
  name: 'migrate',
  summary: 'brings the schema of the database up to date',
  details: 'Every start does so too. Safe to run any number of times, also at once.',
  run: call =>
    withDatabase(call, async ({ url }, { site, unsafeDatabaseAllowed }) => {
      const projections = await discoverProjections()
      const applied = await migrateSchema({
        ...{ url, site, allowUnsafe: unsafeDatabaseAllowed },
        afterwards: db => installProjections(db, projections),
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

const verify: Command = {
  name: 'verify',
  summary: 'proves the log: every event, the chain, the density',
  details: `Reads the whole log and checks that positions have no gap, that every event is what was written, that each is chained to
the one before, that times of recording never go back and that each stream is whole. Exit code 13 and the first bad
position when it is not. Projections are not compared with the log yet; that comes with a later release.`,
  run: call => withSite(call, ({ db }) => verifySite(call, db)),
}

async function verifySite(call: Call, db: Db): Promise<Outcome> {
  const progress = call.progress('verifying')
  const proof = await verifyLog(db, (done, total) => {
    call.signal.throwIfAborted()
    progress.update(done, total)
  })
  progress.end()
  return proofOutcome(proof)
}

const CHECKED = ['density', 'bodies', 'chain', 'recorded-at', 'streams', 'head']

function proofOutcome({ events, chain, fault }: LogProof): Outcome {
  const data = {
    ok: fault === null,
    events,
    chain,
    fault: fault && { ...fault },
    checked: CHECKED,
    notChecked: ['projections'],
  }
  if (fault === null) {
    const text = [
      `The log is whole: ${events} events, chain ${chain}.`,
      'Checked: density, every event against its hash, the chain, order of recording, streams, head.',
      'Not checked: projections against the log (comes with a later release).',
    ].join('\n')
    return { text, data }
  }
  const text = `The log is damaged at position ${fault.position} (${fault.rule}): ${fault.text}.`
  return { text, data, exitCode: EXIT.verificationFailed }
}

/** `rm3admin migrate` and `verify`. */
export const logCommands: readonly Command[] = [migrate, verify]
