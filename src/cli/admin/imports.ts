import { listImports } from '../../log/imports.ts'
import { counted } from '../../scheme/words.ts'
import type { Command } from '../command.ts'
import { withSite } from '../open.ts'
import { columns } from '../usage.ts'

const SHOWN_MAX = 100

/** `rm3admin imports`. */
export const imports: Command = {
  name: 'imports',
  summary: 'lists what was imported when, and from where',
  details:
    'Newest first, the last 100. What an import brought is taken back with rm3admin undo --import ID. A backup of rm3 1.0 that is loaded whole is no import: it brings the log as it was, with the imports in it.',
  run: call =>
    withSite(call, async ({ db }) => {
      const items = await listImports(db, { before: null, limit: SHOWN_MAX })
      const rows = items.map(({ id, source, recordedAt, events, entities }): [string, string] => [
        `${id}  ${recordedAt}`,
        `${counted(events, 'event')} of ${counted(entities, 'page, user or set of rights', 'pages, users or rights')}${source === null ? '' : `, ${source}`}`,
      ])
      const text = rows.length === 0 ? 'Nothing was imported.' : columns(rows).join('\n')
      return { text, data: { items: items.map(item => ({ ...item })), next: null } }
    }),
}
