import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { PACKAGE_ROOT } from '../src/package-root.ts'
import { assert, suite } from './harness.ts'

/** Lowest first; those on one line are on one level. A module imports from its own folder or file, or from a lower level. */
const LAYERS = [
  ['src/admin/'],
  ['src/errors.ts', 'src/package-root.ts'],
  ['src/file-error.ts'],
  ['src/plugins.ts'],
  ['src/settings.ts', 'src/config-values.ts', 'src/config.ts'],
  ['src/free-port.ts'],
  ['src/codec/'],
  ['src/content/'],
  ['src/pg/'],
  ['src/log/'],
  ['src/blobs/'],
  ['src/jobs/define.ts', 'src/jobs/cron.ts'],
  ['src/projector/'],
  ['src/sdk.ts'],
  ['projections/'],
  ['workers/'],
  ['src/access/'],
  ['src/commands/'],
  ['src/open-site.ts', 'src/open-database.ts', 'src/open-eraser.ts'],
  ['src/follow-site.ts', 'src/testing/'],
  ['src/jobs/'],
  ['src/queries/'],
  ['src/backup/'],
  ['src/demo/'],
  ['src/scheme/'],
  ['src/http/'],
  ['src/serve-site.ts'],
  ['src/run-workers.ts'],
  ['src/main.ts'],
  ['src/cli/'],
]
/** Only these may import the package, or what comes under its name. */
const OWNERS: Record<string, string[]> = {
  pg: ['src/pg/'],
  'pg-copy-streams': ['src/pg/'],
  'pg-listen': ['src/pg/'],
  bree: ['src/jobs/'],
  croner: ['src/jobs/'],
  fastify: ['src/http/'],
  '@fastify/*': ['src/http/'],
  msgpackr: ['src/codec/'],
  'fast-json-patch': ['src/codec/'],
  immer: ['src/codec/', 'src/content/'],
  liquidjs: ['src/scheme/'],
  'markdown-it*': ['src/scheme/'],
  'sanitize-html': ['src/scheme/'],
  'any-ascii': ['src/content/'],
}
const TOP_FOLDERS = ['src', 'projections', 'workers']

suite('layers', test => {
  for (const file of TOP_FOLDERS.flatMap(modulesIn)) {
    test(`${file} imports only what it may`, () => {
      assert.is.not(levelOf(file), -1, `${file} is in no layer`)
      for (const target of importsOf(file)) assert.is(complaint(file, target), '')
    })
  }

  test('an import that goes up, aside or past an owner is found', () => {
    assert.match(complaint('src/log/append.ts', 'src/http/server.ts'), /higher layer/)
    assert.match(complaint('projections/pages.ts', 'workers/x.ts'), /higher layer/)
    assert.match(complaint('projections/pages.ts', 'src/log/append.ts'), /not the sdk/)
    assert.match(complaint('src/http/server.ts', 'pg'), /src\/pg\//)
    assert.match(complaint('src/cli/rm3load.ts', '@fastify/cookie'), /src\/http\//)
    assert.match(complaint('src/content/decide.ts', 'node:crypto'), /pure/)
    assert.is(complaint('src/codec/hash.ts', 'node:crypto'), '')
    assert.is(complaint('src/http/server.ts', 'projections/pages.ts'), '')
    assert.is(complaint('src/log/append.ts', 'src/log/read.ts'), '')
  })

  test('tests are written through the harness', () => {
    const direct = modulesIn('test')
      .filter(file => file !== 'test/harness.ts')
      .filter(file => importsOf(file).some(target => /^uvu\b/.test(target)))

    assert.equal(direct, [])
  })
})

/** What is wrong with `file` importing `target`; '' when nothing is. */
function complaint(file: string, target: string): string {
  const owners = ownersOf(target)
  if (owners && !owners.some(owner => file.startsWith(owner))) {
    return `${file} imports ${target}, which belongs to ${owners.join(' and ')}`
  }
  if (file.startsWith('src/content/') && target.startsWith('node:')) {
    return `${file} imports ${target}, but is pure`
  }
  if (levelOf(target) === -1) return ''
  const isDefinition = /^(projections|workers)\//.test(file)
  const isOwnFolder = layerOf(target) === layerOf(file)
  if (isDefinition && target !== 'src/sdk.ts' && !isOwnFolder && target.startsWith('src/')) {
    return `${file} imports ${target}, not the sdk`
  }
  const isLower = levelOf(target) < levelOf(file)
  const isSameLevelFile = levelOf(target) === levelOf(file) && target.startsWith('src/')
  return isOwnFolder || isLower || isSameLevelFile
    ? ''
    : `${file} imports ${target}, a higher layer`
}

function layerOf(file: string): string | undefined {
  return LAYERS.flat().find(layer => covers(layer, file))
}

function levelOf(file: string): number {
  return LAYERS.findIndex(level => level.some(layer => covers(layer, file)))
}

function covers(layer: string, file: string): boolean {
  return file === layer || (layer.endsWith('/') && file.startsWith(layer))
}

function ownersOf(target: string): string[] | undefined {
  const found = Object.entries(OWNERS).find(([name]) =>
    name.endsWith('*')
      ? target.startsWith(name.slice(0, -1))
      : target === name || target.startsWith(`${name}/`),
  )
  return found?.[1]
}

function modulesIn(folder: string): string[] {
  const path = join(PACKAGE_ROOT, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true })
    .map(name => join(folder, String(name)))
    .filter(name => name.endsWith('.ts'))
}

/** What `file` imports, also for types and at run time: paths from the root, or package names. Its own package is the sdk. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(PACKAGE_ROOT, file), 'utf8')
  const statements = source.matchAll(
    /^(?:import\s+|(?:import|export)\b[^'";]*?\bfrom\s+)'([^']+)'/gm,
  )
  const calls = source.matchAll(/\bimport\('([^']+)'\)/g)
  return [...statements, ...calls].map(match => {
    const specifier = match[1] ?? ''
    if (specifier.startsWith('.')) return normalize(join(dirname(file), specifier))
    return specifier === 'rm3' ? 'src/sdk.ts' : specifier
  })
}
