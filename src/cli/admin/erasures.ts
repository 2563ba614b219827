import { type Erasure, listErasures } from '../../commands/erasures.ts'
import { READING_KEYS } from '../archive-keys.ts'
import type { Command } from '../command.ts'
import { eraseAgain, erasuresOf } from '../erasures.ts'
import { namesOf } from '../names.ts'
import { withSite } from '../open.ts'
import { columns } from '../usage.ts'

/** `rm3admin erasures` and `erasures apply`. */
export const erasureCommands: readonly Command[] = [
  {
    name: 'erasures',
    summary: 'lists what was erased when, by whom and why',
    details:
      'With --json it is what erasures apply and rm3load --erasures take. It says nothing of what was erased, so it may be kept anywhere.',
    run: call =>
      withSite(call, async ({ db }) => {
        const erasures = await listErasures(db)
        const names = await namesOf(
          db,
          erasures.map(({ actor }) => actor),
        )
        const rows = erasures.map(
          ({ entityId, whole, events, at, actor, reason }) =>
            [
              `${at}  ${entityId}`,
              `${whole ? 'all of it' : `${events.length} ${events.length === 1 ? 'event' : 'events'}`} by ${names.get(actor) ?? actor}${reason ? `: ${reason}` : ''}`,
            ] as const,
        )
        const text = rows.length === 0 ? 'Nothing was ever erased.' : columns(rows).join('\n')
        return { text, data: { items: erasures.map(plain), next: null } }
      }),
  },
  {
    name: 'erasures apply',
    summary: 'does erasures again that another backup or list knows',
    arguments: [
      {
        name: 'SOURCE',
        summary:
          'a newer backup, folder or archive, or a file with what rm3admin erasures --json printed; - is stdin',
      },
    ],
    options: READING_KEYS,
    details:
      'For a site that was loaded from a backup older than they are. What is erased already is left alone, and so is what the site does not have.',
    run: async call => {
      const erasures = await erasuresOf(call, call.argument('SOURCE'))
      const again = await eraseAgain(call, erasures)
      const text = `${again.length} of ${erasures.length} erasures were done again.`
      return { text, data: { items: again.map(plain), next: null } }
    },
  },
]

function plain(erasure: Erasure) {
  return { ...erasure, events: [...erasure.events] }
}
