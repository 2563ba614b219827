import { uuidv7 } from 'uuidv7'
import { readEdited } from '../backup/folder/edited-files.ts'
import { type Difference, editedLog, RESTARTED } from '../backup/folder/edited-log.ts'
import { besideFolder } from '../backup/folder/load.ts'
import type { Restored } from '../backup/restore.ts'
import { restoreEvents } from '../backup/restore-events.ts'
import type { Json } from '../codec/json.ts'
import { Rm3Error } from '../errors.ts'
import { counted } from '../scheme/words.ts'
import { accessData, accessLines } from './access-lines.ts'
import { aheadLines } from './ahead-lines.ts'
import type { Call, Outcome } from './command.ts'
import { restore } from './load-part.ts'

/**
 * Loads a backup that was changed by hand into an empty site, and says what differs from what was written.
 *
 * @throws BACKUP_DAMAGED, BACKUP_INCOMPLETE, BACKUP_NEWER, SITE_NOT_EMPTY, SOURCE_DAMAGED
 */
export async function loadEdited(call: Call, dir: string): Promise<Outcome> {
  if (call.option('path') !== null || call.flag('nohistory') || call.flag('into-live')) {
    throw new Rm3Error(
      'USAGE',
      'an edited backup is loaded whole: --edited goes with -d and --dry-run only',
    )
  }
  const started = Date.now()
  const backup = await readEdited(dir)
  const log = editedLog(backup, { now: new Date().toISOString(), newId: uuidv7 })
  const restored = await restore(call, (database, stores, options) =>
    restoreEvents(database, { events: log.events, beside: besideFolder(dir), stores }, options),
  )
  const { differences } = log
  return outcomeOf({ call, dir, restored, differences, ms: Date.now() - started })
}

const SENTENCES: Readonly<Record<Difference['what'], string>> = {
  added: 'was added',
  removed: 'was taken away, and its history with it',
  record: 'says something else, which is a new event now',
  event: 'is not what was written, and was taken as it is now',
  ignored: 'says something else, which was passed over: it follows from the history',
}

interface Done {
  readonly call: Call
  readonly dir: string
  readonly restored: Restored
  readonly differences: readonly Difference[]
  readonly ms: number
}

function outcomeOf({ call, dir, restored, differences, ms }: Done): Outcome {
  const dryRun = call.flag('dry-run')
  const { head, events, access, projections } = restored
  const { position, chain, epoch } = head
  const data = {
    ...{ loaded: !dryRun, dryRun, dir, events, differences, access: accessData(access) },
    head: { position, chain, epoch },
    proof: { events: position, chain, projections },
    ms,
  }
  const text = [
    dryRun
      ? `Dry run: ${dir} can be loaded; nothing was kept.`
      : `Loaded ${dir}: ${counted(events, 'event')}.`,
    ...differences.map(({ file, what, place }) => `  ${file}${place} ${SENTENCES[what]}`),
    differences.length === 0
      ? '  it is what was written: the chain is the one of the backup'
      : `  the chain begins anew, as the setting ${RESTARTED} says`,
    `  position ${position}, chain ${chain}`,
    ...accessLines(call, access),
    ...aheadLines(head.recordedAt, Date.now()),
  ].join('\n')
  return { text, data: data as unknown as Json }
}
