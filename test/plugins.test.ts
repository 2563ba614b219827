import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRm3Error } from '../src/errors.ts'
import { PACKAGE_ROOT } from '../src/package-root.ts'
import { discover } from '../src/plugins.ts'
import { CORE_TABLES, discoverProjections } from '../src/projector/discover.ts'
import { assert, rejection, suite } from './harness.ts'
import { pluginSite } from './support/plugin-site.ts'

const PROJECTION = (name: string, rest = '') =>
  `export default { name: '${name}', version: 1, mode: 'async', tables: ['t'], sql: '', apply: async () => {}, ${rest} }`

/** What discovering says of a site with these files. */
async function complaint(rm3: unknown, files: Record<string, string> = {}): Promise<string> {
  const site = pluginSite(rm3)
  try {
    for (const [file, text] of Object.entries(files)) site.write(file, text)
    const thrown = await rejection(discoverProjections(site.folder))
    assert.ok(isRm3Error(thrown, 'CONFIG_INVALID'), String(thrown))
    return String((thrown as Error).message)
  } finally {
    site.remove()
  }
}

suite('discovery of definitions', test => {
  test('finds those of rm3 in the order of their names', async () => {
    const found = await discover('projections')
    const names = found.map(({ name }) => name)

    assert.ok(names.includes('pages'))
    assert.equal(names, [...names].sort())
    assert.ok(
      found.every(({ plugin, definition, name }) => plugin === null && definition.name === name),
    )
  })

  test('finds those of the plugins that the package of the site lists, and of the site itself', async () => {
    const site = pluginSite({ plugins: ['rm3-plugin-sample'], projections: 'own' })
    site.write('own/mine.js', PROJECTION('mine'))
    const found = await discover('projections', site.folder)
    site.remove()

    const others = found.filter(({ plugin }) => plugin !== null)
    assert.equal(
      others.map(({ plugin, name }) => `${plugin}: ${name}`),
      ['a-site: mine', 'rm3-plugin-sample: event-counts', 'rm3-plugin-sample: title-lengths'],
    )
  })

  test('finds nothing more where no package lists plugins, and the workers where one has some', async () => {
    const site = pluginSite({})
    const bare = await discover('projections', site.folder)
    site.remove()
    const listed = pluginSite()
    const workers = await discover('workers', listed.folder)
    listed.remove()

    assert.ok(bare.every(({ plugin }) => plugin === null))
    const others = workers.filter(({ plugin }) => plugin !== null)
    assert.equal(
      others.map(({ name }) => name),
      ['name-newest'],
    )
  })

  test('says which plugin or folder is missing', async () => {
    assert.match(
      await complaint({ plugins: ['rm3-plugin-none'] }),
      /"rm3-plugin-none".*npm install/,
    )
    assert.match(await complaint({ projections: 'dist' }), /a-site names the folder "dist"/)
    assert.match(await complaint({ projections: '../..' }), /not in it/)
    assert.match(await complaint({ plugins: ['../x'] }), /package names/)
    assert.match(await complaint({ plugins: 'x' }), /package names/)
    assert.match(await complaint({ workers: 7 }), /names of folders/)
    assert.match(await complaint([]), /not an object/)
  })

  test('says which module is not what it should be', async () => {
    const own = { projections: 'own' }
    const of = (text: string) => complaint(own, { 'own/mine.js': text })

    assert.match(await of('throw new Error("no")'), /mine\.js does not load: no/)
    assert.match(await of('export const x = 1'), /no default export of a definition named "mine"/)
    assert.match(await of(PROJECTION('other')), /named "mine"/)
    assert.match(await of(`export default { name: 'mine' }`), /is not a projection/)
    assert.match(await of(PROJECTION('mine', `mode: 'inline'`)), /plugin's projection is async/)
    assert.match(await of(PROJECTION('mine', `tables: ['T;']`)), /cannot be a table's name/)
    assert.match(
      await of(PROJECTION('mine', `tables: ['pages']`)),
      /"mine" has a table "pages".*"pages"/,
    )
    assert.match(await of(PROJECTION('mine', `tables: ['log']`)), /"rm3" has already/)
    assert.match(await complaint(own, { 'own/pages.js': PROJECTION('pages') }), /the same name/)
  })

  test('knows every table that is not a projection’s', () => {
    const folder = join(PACKAGE_ROOT, 'schema/migrations')
    const text = readdirSync(folder)
      .map(file => readFileSync(join(folder, file), 'utf8'))
      .join('\n')
    const made = [...text.matchAll(/^create table (\w+)/gm)].map(match => match[1] ?? '')

    assert.equal(
      made.filter(table => !CORE_TABLES.includes(table)),
      [],
    )
  })
})
