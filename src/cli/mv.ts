import { change } from '../commands/change.ts'
import { movePage } from '../commands/pages.ts'
import { parsePath } from '../content/path.ts'
import type { Command } from './command.ts'
import { AS_ROOT, withSite } from './open.ts'

/** `rm3mv`: a page with everything below it to another path. */
export const mv: Command = {
  name: 'rm3mv',
  summary: 'moves a page, with everything below it',
  arguments: [
    { name: 'FROM', summary: 'dotted path of the page' },
    { name: 'TO', summary: 'its new path' },
  ],
  details: 'Who follows the old addresses is sent to the new ones.',
  run: call => {
    const from = parsePath(call.argument('FROM'))
    const to = parsePath(call.argument('TO'))
    return withSite(call, async site => {
      const { position, events } = await change(site, AS_ROOT, it => movePage(it, from, to))
      const moved = events.length
      const text =
        moved === 0
          ? `${from} is there already.`
          : `Moved ${from} to ${to}${moved > 1 ? `, with ${moved - 1} below it` : ''} (position ${position}).`
      return { text, data: { from, to, moved, position } }
    })
  },
}
