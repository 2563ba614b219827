import { changeAndForget } from '../commands/accounts.ts'
import { deletePage } from '../commands/pages.ts'
import { parsePath } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import type { Call, Command } from './command.ts'
import { AS_ROOT, withSite } from './open.ts'
import { confirm } from './stdin.ts'

/** `rm3rm`: deletes a page; its history stays. */
export const rm: Command = {
  name: 'rm3rm',
  summary: 'deletes a page; its history stays',
  arguments: [{ name: 'PATH', summary: 'dotted path of the page' }],
  options: {
    redirect: {
      short: 'r',
      value: 'URL',
      summary: 'where readers are sent: /a/b/ on this site, or http(s)://…',
    },
    yes: { short: 'Y', summary: 'does not ask' },
    erase: { short: 'E', summary: 'erases the history too (comes with a later release)' },
  },
  details: 'Pages below it stay. A deleted page can be brought back with everything it ever was.',
  run: async call => {
    const path = parsePath(call.argument('PATH'))
    if (call.flag('erase')) {
      throw new Rm3Error(
        'USAGE',
        'erasing what a page ever was comes with a later release; without -E the page is deleted and its history stays',
      )
    }
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

async function demandConsent(call: Call, path: string): Promise<void> {
  if (call.flag('yes') || (await confirm(call, `Delete ${path}?`))) return
  throw new Rm3Error('USAGE', `${path} was not deleted: say -Y, or y when asked on a terminal`, {
    path,
  })
}
