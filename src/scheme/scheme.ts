import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../package-root.ts'
import { type Asset, assetType, createAsset } from './assets.ts'
import { createEngine, type Engine } from './engine.ts'
import { createTexts, type Texts } from './texts.ts'

/** A look: compiled templates, static files, and a bounded memory of rendered texts. */
export interface Scheme {
  readonly engine: Engine
  /** By file name. */
  readonly assets: ReadonlyMap<string, Asset>
  readonly texts: Texts
}

/** Templates and static files of the scheme that comes with rm3. */
export const DEFAULT_SCHEME = join(PACKAGE_ROOT, 'src', 'scheme', 'default')
/** What runs in browsers, compiled. */
export const SCRIPTS = join(PACKAGE_ROOT, 'dist', 'src', 'admin')

/**
 * The scheme in `folders`: a file of a later folder takes the place of the same name in an earlier one.
 *
 * Reads the files now and never again. Files that are neither templates nor of a static type are left alone.
 *
 * @throws when a folder cannot be read or a template cannot be parsed
 */
export function loadScheme(folders: readonly string[] = [DEFAULT_SCHEME, SCRIPTS]): Scheme {
  const templates: Record<string, string> = {}
  const assets = new Map<string, Asset>()
  for (const folder of folders) {
    for (const name of readdirSync(folder).sort()) {
      const mediaType = assetType(name)
      if (name.endsWith('.liquid')) {
        templates[name.slice(0, -'.liquid'.length)] = readFileSync(join(folder, name), 'utf8')
      } else if (mediaType !== null) {
        assets.set(name, createAsset(name, readFileSync(join(folder, name)), mediaType))
      }
    }
  }
  return { engine: createEngine(templates), assets, texts: createTexts() }
}
