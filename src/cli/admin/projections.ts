import { ROOT } from '../../content/events.ts'
import { Rm3Error } from '../../errors.ts'
import { openBulk } from '../../pg/bulk.ts'
import type { Db } from '../../pg/db.ts'
import { discoverProjections } from '../../projector/discover.ts'
import { findRemains, forgetProjection, type Remains } from '../../projector/forget.ts'
import {
  pauseProjection,
  resumeProjection,
  retryProjection,
  skipEvent,
} from '../../projector/operate.ts'
import type { Call, Command, Outcome } from '../command.ts'
import { withDatabase, withSite } from '../open.ts'

const NAME = { name: 'NAME', summary: 'of the projection, as rm3admin status shows it' }

function command(
  name: string,
  summary: string,
  done: string,
  work: (db: Db, name: string) => Promise<void>,
): Command {
  return {
    name: `projection ${name}`,
    summary,
    arguments: [NAME],
    run: call =>
      withSite(call, async ({ db }) => {
        const projection = call.argument('NAME')
        await work(db, projection)
        return { text: `${projection} ${done}.`, data: { name: projection, done: true } }
      }),
  }
}

const skip: Command = {
  name: 'projection skip',
  summary: 'has a failed projection leave out the event it cannot apply',
  arguments: [NAME, { name: 'POSITION', summary: 'of that event, as rm3admin status shows it' }],
  options: { reason: { value: 'TEXT', summary: 'why, for the record' } },
  details: `The event stays in the log; only this projection has no rows of it. Who did it, why and the error are kept, and
rm3admin status shows the position from then on.`,
  run: call =>
    withSite(call, async ({ db }) => {
      const name = call.argument('NAME')
      const position = positionOf(call)
      await skipEvent(db, name, { position, actor: ROOT, reason: call.option('reason') })
      return {
        text: `${name} leaves out position ${position} and goes on.`,
        data: { name, position, done: true },
      }
    }),
}

const forget: Command = {
  name: 'projection forget',
  summary: 'drops what is left of a projection that is not there any more',
  arguments: [NAME],
  options: { 'dry-run': { summary: 'only says what would be dropped' } },
  details: `Such as one of a plugin that was taken away: its tables and its place among the projections go. It comes back, built from the
log, when the plugin does. One that is there, or that some process follows, is refused.`,
  run: call =>
    withDatabase(call, async ({ url }, { site }) => {
      const name = call.argument('NAME')
      const known = await discoverProjections()
      const { db, close } = await openBulk({ url, site })
      try {
        const isDry = call.flag('dry-run')
        const remains = await (isDry ? findRemains : forgetProjection)(db, name, known)
        return forgotten(name, remains, isDry)
      } finally {
        await close()
      }
    }),
}

function forgotten(name: string, { tables, isKnown }: Remains, isDry: boolean): Outcome {
  const what = tables.length > 0 ? `with ${tables.join(', ')}` : 'which has no tables'
  const lines = [
    isDry ? `${name} would be forgotten, ${what}.` : `${name} is forgotten, ${what}.`,
    ...(isKnown ? [] : ['Which tables it had is not known: they stay.']),
  ]
  return { text: lines.join('\n'), data: { name, tables: [...tables], done: !isDry } }
}

function positionOf(call: Call): number {
  const text = call.argument('POSITION')
  const position = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(position) && position > 0) return position
  throw new Rm3Error('USAGE', `POSITION is a whole number from 1, not "${text.slice(0, 40)}"`)
}

/** `rm3admin projection retry`, `skip`, `pause`, `resume` and `forget`. */
export const projectionCommands: readonly Command[] = [
  command('retry', 'has a failed projection try again', 'tries again', retryProjection),
  skip,
  command('pause', 'stops a projection that follows the log', 'is paused', pauseProjection),
  command('resume', 'lets a paused projection go on', 'goes on', resumeProjection),
  forget,
]
