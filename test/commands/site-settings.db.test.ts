import type { Json } from '../../src/codec/json.ts'
import { change } from '../../src/commands/change.ts'
import { setSetting } from '../../src/commands/rights.ts'
import { SITE_SETTINGS } from '../../src/commands/site-settings.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'

const GOOD: Readonly<Record<string, readonly Json[]>> = {
  'backup.drill': ['7d'],
  'backup.full': [1, 7],
  'backup.keep': [{ daily: 7, yearly: 'unlimited' }],
  'backup.kind': ['archive', 'folder'],
  'backup.schedule': ['6h', '15 3 * * 0'],
  'search.language': ['german', 'simple'],
  'site.copyright': ['© us'],
  'site.language': ['en', 'de-AT'],
  'site.timezone': ['UTC', 'Europe/Berlin'],
  'site.title': ['My site'],
  'site.url': ['https://example.org'],
}
const BAD: Readonly<Record<string, readonly Json[]>> = {
  'backup.drill': ['weekly', 7],
  'backup.full': [0, 1.5, 'seven', 1001],
  'backup.keep': [{}, { daily: 0 }, { fortnightly: 1 }, 7, []],
  'backup.kind': ['tape', 1],
  'backup.schedule': ['daily', '99 * * * *', '@hourly', 24, ''],
  'search.language': ['klingon', 1, 'english; drop table log'],
  'site.copyright': [1, ' '],
  'site.language': ['', 'a b', 5],
  'site.timezone': ['Mars/Olympus', 2],
  'site.title': [{ en: 'A site' }, ''],
  'site.url': ['javascript:x', 'example.org', 'https://', 3],
}

suite('settings of the site', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())
  const set = (key: string, value: Json) =>
    change(open.site, AS_ROOT, it => setSetting(it, key, value))

  for (const key of Object.keys(SITE_SETTINGS)) {
    test(`${key} takes what it is for, and nothing else`, async () => {
      for (const value of GOOD[key] ?? []) {
        assert.is((await set(key, value)).events.length, 1)
      }
      for (const value of BAD[key] ?? []) {
        const error = (await rejection(set(key, value))) as Error & { code?: string }
        assert.is(error.code, 'REQUEST_INVALID', JSON.stringify(value))
        assert.ok(error.message.startsWith(`${key} is `))
      }
      assert.is((await set(key, null)).events.length, 1)
    })
  }

  test('a misspelt name is told with those there are; names of others take anything', async () => {
    const error = (await rejection(set('backup.shedule', '24h'))) as Error

    assert.match(error.message, /no setting of rm3; there are .*backup\.schedule/)
    assert.is((await set('shop.currency', { is: ['EUR'] })).events.length, 1)
    assert.is((await set('backup.shedule', null)).events.length, 0)
  })
})
