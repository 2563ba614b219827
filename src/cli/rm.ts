import { changeAndForget } from '../commands/accounts.ts'
import { deletePage } from '../commands/pages.ts'
import { parsePath } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import type { Call, Command } from './command.ts'
import { erasePage } from './erase.ts'
import { AS_ROOT, withSite } from './open.ts'
import { confirm } from './stdin.ts'

/** `rm3rm`: deletes a page; its history stays, unless it is to be erased. */
export const rm: Command = {
  name: 'rm3rm',
  summary: 'deletes a page, whose history stays, or erases it',
  arguments: [
    { name: 'PATH', summary: 'dotted path of the page; with -E also the id of an entity' },
  ],
  options: {
    redirect: {
      short: 'r',
      value: 'URL',
      summary: 'where readers are sent: /a/b/ on this site, or http(s)://…',
    },
    yes: { short: 'Y', summary: 'does not ask' },
    erase: { short: 'E', summary: 'erases all that it ever was: nothing brings that back' },
    revision: { value: 'N', summary: 'with -E: only what this revision said' },
    reason: { value: 'TEXT', summary: 'with -E: why, kept in the log' },
    'dry-run': { summary: 'with -E: says what would go and what would stay' },
  },
  details: `Pages below it stay. A deleted page can be brought back with everything it ever was.
What -E erases is gone for good, of a user also what logs him in; what is left is that something was done, when and by whom,
and where the page was. It says first what goes, and asks on a terminal; elsewhere it takes -Y.`,
  run: async call => {
    if (call.flag('erase')) {
      if (call.option('redirect') === null) return erasePage(call)
      throw new Rm3Error('USAGE', 'what is erased sends readers nowhere: leave -r out')
    }
    for (const option of ['revision', 'reason']) {
      if (call.option(option) !== null) throw noErasure(option)
    }
    if (call.flag('dry-run')) throw noErasure('dry-run')
    const path = parsePath(call.argument('PATH'))
    await demandConsent(call, path)
    const redirect = call.option('redirect') ?? undefined
    return withSite(call, async site => {
      const { position } = await changeAndForget(site, AS_ROOT, it =>
        deletePage(it, path, redirect),
      )
      const text = `Deleted ${path} (position ${position}).`
      return { text, data: { path, redirect: redirect ?? null, position } }
    })
  },
}

function noErasure(option: string): Rm3Error {
  return new Rm3Error('USAGE', `--${option} goes with -E`)
}

async function demandConsent(call: Call, path: string): Promise<void> {
  if (call.flag('yes') || (await confirm(call, `Delete ${path}?`))) return
  throw new Rm3Error('USAGE', `${path} was not deleted: say -Y, or y when asked on a terminal`, {
    path,
  })
}
