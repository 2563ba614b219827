/** Coverage of a test run: each process writes what it ran, c8 adds it up over the sources and holds it against its gate. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { packageRoot } from './package-root.mjs'

const FOLDER = fileURLToPath(new URL('coverage/', packageRoot))
const C8 = fileURLToPath(new URL('node_modules/c8/bin/c8.js', packageRoot))

/** Has the processes that get `env` write their coverage. */
export function collectCoverage(env) {
  rmSync(FOLDER, { recursive: true, force: true })
  env.NODE_V8_COVERAGE = `${FOLDER}tmp`
}

/** Prints the report; false when it is below the gate of .c8rc.json. */
export function checkCoverage() {
  const { status } = spawnSync(
    process.execPath,
    [C8, 'report', '--check-coverage', '--temp-directory', `${FOLDER}tmp`],
    { cwd: fileURLToPath(packageRoot), stdio: 'inherit' },
  )
  return status === 0
}
