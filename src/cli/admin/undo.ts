import type { Json } from '../../codec/json.ts'
import { changeAndForget } from '../../commands/accounts.ts'
import type { Author } from '../../commands/change.ts'
import { rehearse } from '../../commands/rehearse.ts'
import { type Undone, type UndonePage, undoSelected } from '../../commands/undo.ts'
import type { Fact } from '../../content/facts.ts'
import { SITE_PATH } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { NO_ONE } from '../../queries/revisions.ts'
import { undoSelectorOf } from '../../queries/undo-selector.ts'
import { counted } from '../../scheme/words.ts'
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
  summary: 'undoes what a user, a token or an import did',
  options: {
    user: {
      value: 'USER',
      summary: 'login name or entity id; root: what was done at the command line',
    },
    token: { value: 'ID', summary: 'what came with this API token' },
    import: {
      value: 'ID',
      summary:
        'what an import brought, by its id (see rm3admin imports); or where it was from: git, …',
    },
    undo: { value: 'ID', summary: 'what an earlier undo did' },
    from: { value: 'WHEN', summary: 'only what was done after this moment' },
    to: { value: 'WHEN', summary: 'only what was done by this moment' },
    under: { value: 'PATH', summary: 'only at this path and below' },
    'dry-run': { summary: 'shows what would be done, and does nothing' },
    yes: { short: 'Y', summary: 'does not ask' },
  },
  details:
    'Pages, drafts, roles, grants, settings and plans become what they were before, by new events; passwords and tokens that were made are void, and those that were taken away stay so. What others changed since stays. Where both changed the same, it stays too and is listed as a conflict. WHEN is position:N, an instant, or a time as yesterday or 2024-03-05.',
  run: async call => {
    if (WHOSE.every(option => call.option(option) === null)) {
      throw new Rm3Error('USAGE', 'say whose work is undone: --user, --token, --import or --undo')
    }
    return withSite(call, async site => {
      const selector = await undoSelectorOf(site.db, askedOf(call), null)
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

async function demandConsent(call: Call, undone: Undone): Promise<void> {
  if (call.flag('yes')) return
  const lines = linesOf(undone)
  for (const line of lines.slice(0, SHOWN_MAX)) call.say(line)
  if (lines.length > SHOWN_MAX) call.say('  …')
  if (await confirm(call, `Undo this: ${countsOf(undone)}?`)) return
  throw new Rm3Error(
    'USAGE',
    'nothing was undone: look with --dry-run, then say -Y, or y when asked on a terminal',
  )
}

function told(undone: Undone, id: string | null, dryRun: boolean): Outcome {
  const head = dryRun ? 'Would change' : 'Changed'
  const again = id === null ? '' : `; rm3admin undo --undo ${id} takes it back`
  const lines = [`${head} ${countsOf(undone)}${again}.`, ...linesOf(undone)]
  return {
    text: lines.join('\n'),
    data: { undo: id, dryRun, ...undone } as unknown as Json,
  }
}

function countsOf({ pages, site }: Undone): string {
  const count = pages.filter(({ steps }) => steps.length > 0).length
  const conflicts = pages.reduce((sum, page) => sum + page.conflicts.length, 0)
  const facts = pages.reduce((sum, page) => sum + page.facts.length, site.length)
  const more =
    facts === 0
      ? []
      : [counted(facts, 'right, token, plan or setting', 'rights, tokens, plans and settings')]
  return [counted(count, 'page'), ...more, counted(conflicts, 'conflict')].join(', ')
}

function linesOf({ pages, site, left }: Undone): string[] {
  return columns([
    ...site.map((fact): [string, string] => [SITE_PATH, saying(fact)]),
    ...pages.flatMap(linesOfPage),
    ...left.map(({ path, why, fact }): [string, string] => [
      path,
      `left: ${fact === undefined ? '' : `${fact.kind} ${fact.key}, `}${why}`,
    ]),
  ])
}

function linesOfPage({ path, to, steps, conflicts, facts }: UndonePage): [string, string][] {
  const where = to === null ? '' : ` to ${to}`
  const stays = facts.length > 0 ? [] : [[path, 'stays'] as [string, string]]
  return [
    ...(steps.length > 0 ? [[path, `${steps.join(', ')}${where}`] as [string, string]] : stays),
    ...facts.map((fact): [string, string] => [path, saying(fact)]),
    ...conflicts.map((conflict): [string, string] => ['', `conflict at ${conflict.path}`]),
  ]
}

function saying({ kind, key, value }: Fact): string {
  if (kind === 'setting') return `${kind} ${key}: ${JSON.stringify(value)}`
  return `${kind} ${key}: ${value === null ? 'taken away' : 'given back'}`
}
