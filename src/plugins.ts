import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Rm3Error } from './errors.ts'
import { PACKAGE_ROOT } from './package-root.ts'

/** What a package may bring: a folder of compiled modules, each with one definition as its default export. */
export type Kind = 'projections' | 'workers'

/** A definition and where it was found. */
export interface Found {
  /** Its file's name without the suffix; the definition says the same. Unique among all of its kind. */
  readonly name: string
  /** Absolute path of the compiled module. */
  readonly file: string
  /** Name of the package that brings it; null: rm3 itself. */
  readonly plugin: string | null
  /** The default export; of its members only `name` was checked. */
  readonly definition: { readonly name: string }
}

/**
 * All definitions of a kind: rm3's own first, then those of the site's plugins in the order in which its package.json names them, and
 * within a package by file name.
 *
 * The site's package.json lists plugins as `"rm3": {"plugins": ["rm3-plugin-x"]}`; a plugin's own says where its compiled modules are
 * as `"rm3": {"projections": "dist/projections", "workers": "dist/workers"}`. The site's package may bring some itself, in the same way.
 *
 * @param folder the site's, where rm3 was started; without a package.json there it has no plugins
 * @throws CONFIG_INVALID naming the package or file: a plugin or its folder is missing, a module does not load or has no definition of
 *   its name, or two have the same name
 */
export async function discover(kind: Kind, folder: string = process.cwd()): Promise<Found[]> {
  const found = await definitionsIn(join(PACKAGE_ROOT, 'dist', kind), null)
  for (const plugin of await pluginsOf(folder)) {
    const place = plugin.rm3[kind]
    if (place !== undefined) found.push(...(await definitionsIn(placeOf(plugin, place), plugin)))
  }
  const byName = new Map<string, Found>()
  for (const one of found) {
    const other = byName.get(one.name)
    if (other) throw invalid(`${other.file} and ${one.file} have the same name`)
    byName.set(one.name, one)
  }
  return found
}

interface Package {
  readonly name: string
  readonly folder: string
  readonly rm3: Readonly<Partial<Record<Kind, string>>> & { readonly plugins: readonly string[] }
}

/** The site's package, when it is not rm3's own, and those it lists. */
async function pluginsOf(folder: string): Promise<Package[]> {
  if (resolve(folder) === resolve(PACKAGE_ROOT)) return []
  const site = await readPackage(folder)
  if (site === null) return []
  return [site, ...(await Promise.all(site.rm3.plugins.map(name => installed(name, site))))]
}

async function installed(name: string, site: Package): Promise<Package> {
  for (let folder = site.folder; ; folder = dirname(folder)) {
    const plugin = await readPackage(join(folder, 'node_modules', name))
    if (plugin !== null) return plugin
    if (folder === dirname(folder)) break
  }
  const file = join(site.folder, 'package.json')
  throw invalid(`the plugin "${name}", which ${file} lists, is not installed: npm install ${name}`)
}

/** null when there is no package.json. */
async function readPackage(folder: string): Promise<Package | null> {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return null
  const { name, rm3 = {} } = await readJson(file)
  if (!isPlain(rm3)) throw invalid(`${file}: "rm3" is not an object`)
  const { plugins = [], projections, workers } = rm3
  if (!Array.isArray(plugins) || !plugins.every(isPackageName)) {
    throw invalid(`${file}: "rm3.plugins" is not an array of package names`)
  }
  if (!isPlace(projections) || !isPlace(workers)) {
    throw invalid(`${file}: "rm3.projections" and "rm3.workers" are names of folders`)
  }
  return {
    name: typeof name === 'string' ? name : folder,
    folder: resolve(folder),
    rm3: { plugins, ...(projections && { projections }), ...(workers && { workers }) },
  }
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (isPlain(value)) return value
  } catch (cause) {
    throw invalid(`${file} cannot be read: ${(cause as Error).message}`, cause)
  }
  throw invalid(`${file} is not an object`)
}

function placeOf(plugin: Package, place: string): string {
  const folder = resolve(plugin.folder, place)
  if (folder.startsWith(plugin.folder + sep) && existsSync(folder)) return folder
  throw invalid(`${plugin.name} names the folder "${place}", which is not in it; is it built?`)
}

async function definitionsIn(folder: string, plugin: Package | null): Promise<Found[]> {
  if (!existsSync(folder)) return []
  const files = (await readdir(folder)).filter(name => /\.m?js$/.test(name)).sort()
  return Promise.all(files.map(name => load(join(folder, name), plugin?.name ?? null)))
}

async function load(file: string, plugin: string | null): Promise<Found> {
  const name = file.slice(file.lastIndexOf(sep) + 1).replace(/\.m?js$/, '')
  const module = await (import(pathToFileURL(file).href) as Promise<{ default?: unknown }>).catch(
    cause => {
      throw invalid(`${file} does not load: ${(cause as Error).message}`, cause)
    },
  )
  const definition = module.default
  if (!isPlain(definition) || definition['name'] !== name) {
    throw invalid(`${file} has no default export of a definition named "${name}"`)
  }
  return { name, file, plugin, definition: definition as { name: string } }
}

function invalid(problem: string, cause?: unknown): Rm3Error {
  return new Rm3Error('CONFIG_INVALID', problem, { ...(cause !== undefined && { cause }) })
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** As npm allows them, so that none leads out of node_modules. */
function isPackageName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(value)
  )
}

function isPlace(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && value !== '')
}
