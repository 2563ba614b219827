import type { Json } from '../../codec/json.ts'
import { Rm3Error } from '../../errors.ts'
import { readHead } from '../../log/read.ts'
import { type LogProof, verifyLog } from '../../log/verify.ts'
import { openBulk, type SiteDatabase } from '../../pg/bulk.ts'
import { listPendingMigrations } from '../../pg/migrate.ts'
import { discoverProjections } from '../../projector/discover.ts'
import { findingText } from '../../projector/finding.ts'
import { threadsFor } from '../../projector/threads.ts'
import {
  type Repaired,
  repairFindings,
  type Verified,
  type VerifyOptions,
  verifyProjections,
} from '../../projector/verify.ts'
import type { Call, Command, Outcome } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { withDatabase } from '../open.ts'

const LINES_MAX = 50

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'proves the log, and all projections against it',
  details: `Reads the whole log and checks that positions have no gap, that every event is what was written, that each is chained to
the one before, that times of recording never go back and that each stream is whole. Then folds it and compares every row of every
projection with what the log says: rows that differ, are missing or too many are named, and so are tables, columns, indexes and
constraints that are not as they should be. Events that are as they were written and cannot be folded are named too. The site may go on
meanwhile. Exit code 13 when anything differs.

With --repair what differs in the projections is mended: row by row, or a whole projection where its tables are damaged. What cannot be
mended is told: a projection cannot be built anew beside events that cannot be folded, and a damaged log cannot be mended from within:
load a backup.`,
  options: { repair: { summary: 'mends the projections' } },
  run: call => withDatabase(call, ({ url }, { site }) => verifySite(call, { url, site })),
}

async function verifySite(call: Call, database: SiteDatabase): Promise<Outcome> {
  const { db, close } = await openBulk(database)
  let proof: LogProof
  let position: number
  try {
    if ((await listPendingMigrations(db, database.site)) === null) throw nowhere(database)
    position = (await readHead(db)).position
    const progress = call.progress('verifying the log')
    proof = await verifyLog(db, (done, total) => {
      call.signal.throwIfAborted()
      progress.update(done, total)
    })
    progress.end()
  } finally {
    await close()
  }
  if (proof.fault !== null) return damagedOutcome(proof)
  const threads = threadsFor(position)
  const options = { projections: await discoverProjections(), threads, signal: call.signal }
  const verified = await verifyWithProgress(call, database, options)
  if (!call.flag('repair') || verified.findings.length === 0) return outcome({ proof, verified })
  const repaired = await repairFindings(database, options, verified)
  const left = await verifyWithProgress(call, database, options)
  return outcome({ proof, verified, repaired, left })
}

function nowhere({ site }: SiteDatabase): Rm3Error {
  const message = `the database has no site "${site}": look at RM3_PG and RM3_SITE, or make one with rm3admin migrate`
  return new Rm3Error('SOURCE_NOT_FOUND', message, { site })
}

async function verifyWithProgress(
  call: Call,
  database: SiteDatabase,
  options: VerifyOptions,
): Promise<Verified> {
  const progress = call.progress('verifying the projections')
  const verified = await verifyProjections(database, {
    ...options,
    onProgress: (done, total) => progress.update(done, total),
  })
  progress.end()
  return verified
}

const CHECKED = ['density', 'bodies', 'chain', 'recorded-at', 'streams', 'head']

function damagedOutcome({ events, chain, fault }: LogProof): Outcome {
  const text = [
    `The log is damaged at position ${fault?.position} (${fault?.rule}): ${fault?.text}. The projections were not looked at.`,
    'Nothing here can mend a log: stop the site, keep a copy of the data, and load the last good backup.',
  ].join('\n')
  const log = { events, chain, fault: fault && { ...fault }, checked: CHECKED }
  const data = { ok: false, ...log, projections: null, repaired: null }
  return { text, data, exitCode: EXIT.verificationFailed }
}

interface Result {
  readonly proof: LogProof
  readonly verified: Verified
  readonly repaired?: Repaired
  /** What still differs after a repair. */
  readonly left?: Verified
}

function outcome({ proof, verified, repaired, left = verified }: Result): Outcome {
  const { events, chain } = proof
  const { findings, unnamed, skipped } = verified
  const ok = left.findings.length === 0
  const data = {
    ...{ ok, events, chain, fault: null, checked: CHECKED },
    projections: {
      differences: findings.length + unnamed,
      findings: jsonOf(findings),
      skipped: [...skipped],
      left: left.findings.length + left.unnamed,
    },
    repaired: repaired ? jsonOf(repaired) : null,
  }
  const lines = [
    `The log is whole: ${events} events, chain ${chain}.`,
    'Checked: density, every event against its hash, the chain, order of recording, streams, head.',
    ...projectionLines(verified),
    ...(repaired ? repairLines(repaired, left) : adviceOn(verified)),
  ]
  return { text: lines.join('\n'), data, ...(!ok && { exitCode: EXIT.verificationFailed }) }
}

function projectionLines({ findings, unnamed, skipped }: Verified): string[] {
  const count = findings.length + unnamed
  const named = findings.slice(0, LINES_MAX).map(finding => `  ${findingText(finding)}`)
  return [
    count === 0
      ? 'Every row of every projection is what the log says.'
      : `The projections differ from the log in ${count} ${places(count)}:`,
    ...named,
    ...(count > named.length ? [`  and ${count - named.length} more (--json names them)`] : []),
    ...(skipped.length > 0
      ? [`Not checked, for they are not built yet: ${skipped.join(', ')}.`]
      : []),
  ]
}

function adviceOn({ findings }: Verified): string[] {
  const canBeMended = findings.some(({ problem }) => problem !== 'unfoldable')
  return canBeMended ? ['rm3admin verify --repair mends them; the site may stay up.'] : []
}

function repairLines({ streams, rebuilt, unrepaired }: Repaired, left: Verified): string[] {
  const whole = rebuilt.length > 0 ? `; built anew: ${rebuilt.join(', ')}` : ''
  const count = left.findings.length + left.unnamed
  const end = count === 0 ? 'nothing differs any more' : `${count} ${places(count)} still differ`
  const unfoldable = left.findings.filter(({ problem }) => problem === 'unfoldable').length
  return [
    `Repaired: rows of ${streams} streams${whole}; ${end}.`,
    ...(unrepaired.length > 0
      ? [`Not repaired: ${unrepaired.join(', ')}. Building anew takes a log that can be folded.`]
      : []),
    ...(unfoldable > 0
      ? ['Events that cannot be folded cannot be mended from within: load a backup from before.']
      : []),
  ]
}

function places(count: number): string {
  return count === 1 ? 'place' : 'places'
}

function jsonOf<Value extends object>(value: Value) {
  return JSON.parse(JSON.stringify(value)) as Json
}
