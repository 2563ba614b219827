import { changeAndForget } from '../../commands/accounts.ts'
import type { Author } from '../../commands/change.ts'
import { rehearse } from '../../commands/rehearse.ts'
import { type LeftPage, type Undone, type UndonePage, undoSelected } from '../../commands/undo.ts'
import { Rm3Error } from '../../errors.ts'
import { NO_ONE } from '../../queries/revisions.ts'
import { undoSelectorOf } from '../../queries/undo-selector.ts'
import type { Call, Command, Outcome } from '../command.ts'
import { AS_ROOT, withSite } from '../open.ts'
import { confirm } from '../stdin.ts'
import { columns } from '../usage.ts'

/** Pages that are named when it is asked whether to go on. */
const SHOWN_MAX = 40
const WHOSE = ['user', 'token', 'import', 'undo'] as const

/** `rm3admin undo`. */
export const undo: Command = {
  name: 'undo',
  summary: 'undoes what a user, a token or an import did to pages',
  options: {
    user: {
      value: 'USER',
      summary: 'login name or entity id; root: what was done at the command line',
    },
    token: { value: 'ID', summary: 'what came with this API token' },
    import: { value: 'SOURCE', summary: 'what was imported from: git, …' },
    undo: { value: 'ID', summary: 'what an earlier undo did' },
    from: { value: 'WHEN', summary: 'only what was done after this moment' },
    to: { value: 'WHEN', summary: 'only what was done by this moment' },
    under: { value: 'PATH', summary: 'only at this path and below' },
    'dry-run': { summary: 'shows what would be done, and does nothing' },
    yes: { short: 'Y', summary: 'does not ask' },
  },
  details:
    'Pages become what they were before, by new revisions; what others changed since stays. Where both changed the same, it stays too and is listed as a conflict. WHEN is position:N, an instant, or a time as yesterday or 2024-03-05.',
  run: async call => {
    if (WHOSE.every(option => call.option(option) === null)) {
      throw new Rm3Error('USAGE', 'say whose work is undone: --user, --token, --import or --undo')
    }
    return withSite(call, async site => {
      const selector = await undoSelectorOf(site.db, askedOf(call))
      if (selector.actor === NO_ONE) throw noSuchUser(call.option('user') ?? '')
      const rehearsed = await rehearse(site, AS_ROOT, it => undoSelected(it, selector))
      const isDry = call.flag('dry-run')
      if (isDry || rehearsed.events.length === 0) return told(rehearsed.result, null, isDry)
      await demandConsent(call, rehearsed.result)
      const id = site.newId()
      const author: Author = { ...AS_ROOT, meta: { undo: id } }
      const { result } = await changeAndForget(site, author, it => undoSelected(it, selector))
      return told(result, id, false)
    })
  },
}

function noSuchUser(user: string): Rm3Error {
  const hint = 'name one who was deleted by the entity id'
  return new Rm3Error('USER_NOT_FOUND', `there is no user "${user}"; ${hint}`, { user })
}

function askedOf(call: Call): Parameters<typeof undoSelectorOf>[1] {
  const options = [...WHOSE, 'from', 'to', 'under'] as const
  const given = options.map(name => [name, call.option(name)] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== null))
}

async function demandConsent(call: Call, { pages, left }: Undone): Promise<void> {
  if (call.flag('yes')) return
  for (const line of linesOf(pages, left).slice(0, SHOWN_MAX)) call.say(line)
  if (pages.length + left.length > SHOWN_MAX) call.say('  …')
  if (await confirm(call, `Undo this on ${pages.length} pages?`)) return
  throw new Rm3Error(
    'USAGE',
    'nothing was undone: look with --dry-run, then say -Y, or y when asked on a terminal',
  )
}

function told({ pages, left }: Undone, id: string | null, dryRun: boolean): Outcome {
  const count = pages.filter(({ steps }) => steps.length > 0).length
  const conflicts = pages.reduce((sum, page) => sum + page.conflicts.length, 0)
  const head = dryRun ? `Would change ${count} pages` : `Changed ${count} pages`
  const again = id === null ? '' : `; rm3admin undo --undo ${id} takes it back`
  const lines = [`${head}, ${conflicts} conflicts${again}.`, ...linesOf(pages, left)]
  return {
    text: lines.join('\n'),
    data: { undo: id, dryRun, pages: pages as never, left: left as never },
  }
}

function linesOf(pages: readonly UndonePage[], left: readonly LeftPage[]): string[] {
  return columns([
    ...pages.flatMap(({ path, to, steps, conflicts }): [string, string][] => [
      [path, `${steps.join(', ') || 'stays'}${to === null ? '' : ` to ${to}`}`],
      ...conflicts.map((conflict): [string, string] => ['', `conflict at ${conflict.path}`]),
    ]),
    ...left.map(({ path, why }): [string, string] => [path, `left: ${why}`]),
  ])
}
