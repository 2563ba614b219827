/** Makes the package ready to run: the right Node, packages, dist/. */
import { buildWhenStale, isStale } from './build.mjs'
import { fail } from './fail.mjs'
import { installMissing } from './install.mjs'

const NODE_MIN = [20, 12]

/** @param {{ withDev: boolean }} needs `withDev`: the tools for testing too, not only those that a stale build needs */
export function prepare({ withDev }) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    fail(`rm3 needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}.`)
  }
  installMissing(withDev || isStale())
  buildWhenStale()
}
