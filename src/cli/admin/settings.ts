import { listSettings } from '../../../projections/settings.ts'
import { type Json, parseJson } from '../../codec/json.ts'
import { change } from '../../commands/change.ts'
import { setSetting } from '../../commands/rights.ts'
import { isRm3Error } from '../../errors.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { AS_ROOT, withSite } from '../open.ts'
import { columns } from '../usage.ts'

const get: Command = {
  name: 'config get',
  summary: 'prints the settings of the site, or one',
  arguments: [{ name: 'KEY', summary: 'such as site.title; all when not given', optional: true }],
  details: 'Exit code 10 when the setting is not set.',
  run: call =>
    withSite(call, async ({ db }) => {
      const key = call.findArgument('KEY')
      const settings = await listSettings(db)
      if (key === null) {
        const items = settings.map(({ key, value }) => ({ key, value }))
        const lines = columns(items.map(({ key, value }) => [key, textOf(value)]))
        const text = lines.join('\n') || 'No setting is set.'
        return { text, data: { items, next: null } }
      }
      const found = settings.find(setting => setting.key === key)
      if (found !== undefined) return { text: textOf(found.value), data: { ...found } }
      call.say(`${call.name}: ${key} is not set`)
      return { text: '', data: { key, value: null }, exitCode: EXIT.notFound }
    }),
}

const set: Command = {
  name: 'config set',
  summary: 'changes a setting of the site',
  arguments: [
    { name: 'KEY', summary: 'words joined by dots, such as site.title' },
    { name: 'VALUE', summary: 'JSON; anything else is taken as a text' },
  ],
  run: call => {
    const key = call.argument('KEY')
    const value = jsonOrText(call.argument('VALUE'))
    return withSite(call, async site => {
      const { position, events } = await change(site, AS_ROOT, it => setSetting(it, key, value))
      const changed = events.length > 0
      const text = changed ? `${key} is now ${textOf(value)}.` : `${key} was that already.`
      return { text, data: { key, value, changed, position } }
    })
  },
}

function jsonOrText(text: string): Json {
  try {
    return parseJson(text, 'VALUE')
  } catch (thrown) {
    if (isRm3Error(thrown, 'JSON_INVALID')) return text
    throw thrown
  }
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `rm3admin config get` and `config set`. */
export const settingCommands: readonly Command[] = [get, set]
