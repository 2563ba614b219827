import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PACKAGE_ROOT } from '../package-root.ts'
import type { Projection } from './define.ts'

/** The projections in `projections/`, in the order of their file names. A file's default export has the file's name. */
export async function discoverProjections(): Promise<Projection[]> {
  const folder = join(PACKAGE_ROOT, 'dist', 'projections')
  const files = (await readdir(folder)).filter(name => name.endsWith('.js')).sort()
  return Promise.all(files.map(file => load(join(folder, file), file.slice(0, -'.js'.length))))
}

async function load(file: string, name: string): Promise<Projection> {
  const module = (await import(pathToFileURL(file).href)) as { default?: Projection }
  if (module.default?.name !== name) {
    throw new Error(`${file} has no default export of a projection named "${name}"`)
  }
  return module.default
}
