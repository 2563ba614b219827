/**
 * What the commands of package.json's `bin` begin with. They are files of the sources, since npx links a command when it is called for the
 * first time and never looks for it again: one that had to be built before would be missing for good.
 */
import { existsSync } from 'node:fs'
import { packageRoot } from './package-root.mjs'
import { prepare } from './prepare.mjs'

/**
 * Runs a command. In a clone that was never built, or where a build broke off, packages and dist/ are made first; a stale dist/ is left as
 * it is, because a server may be running from it.
 */
export async function launch(name) {
  if (!existsSync(new URL('dist/.built-from', packageRoot))) prepare({ withDev: false })
  await import(new URL(`dist/src/cli/${name}.js`, packageRoot))
}
