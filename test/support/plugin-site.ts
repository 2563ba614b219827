import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/package-root.ts'

/** A site's folder with rm3 and the sample plugin of `test/fixtures/plugin` installed in it, as npm would. */
export interface PluginSite {
  readonly folder: string
  /** Writes a file, named from the site's folder. */
  write(file: string, text: string): void
  remove(): void
}

/** @param rm3 what the site's package.json has under that name */
export function pluginSite(rm3: unknown = { plugins: ['rm3-plugin-sample'] }): PluginSite {
  const folder = mkdtempSync(join(tmpdir(), 'rm3-site-'))
  const modules = join(folder, 'node_modules')
  const write = (file: string, text: string) => {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  write('package.json', JSON.stringify({ name: 'a-site', type: 'module', rm3 }))
  mkdirSync(modules)
  symlinkSync(PACKAGE_ROOT, join(modules, 'rm3'))
  cpSync(join(PACKAGE_ROOT, 'test/fixtures/plugin'), join(modules, 'rm3-plugin-sample'), {
    recursive: true,
  })
  return { folder, write, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
