/** Installs packages when some that package-lock.json names are missing. Plain JavaScript: it runs before anything is installed. */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fail, say } from './fail.mjs'
import { packageRoot } from './package-root.mjs'

const NPM_ARGUMENTS = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund']
const OUTPUT_LINES_MAX = 15
const NO_NETWORK = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/

/**
 * Runs `npm ci` when a package is missing or of another version. Prints only when it does, and npm's words only when it fails.
 *
 * @param {boolean} withDev whether the packages for building and testing are needed too
 */
export function installMissing(withDev) {
  const missing = missingPackages(withDev)
  if (missing.length === 0) return
  const folder = new URL('node_modules', packageRoot)
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) {
    fail(`node_modules is a link, and what it leads to lacks ${missing[0]}: run npm install there.`)
  }
  say(`Installing packages (${missing.length} are missing) …`)
  const result = runNpm()
  if (result.status === 0) return
  const output = `${result.stdout}${result.stderr}${result.error ?? ''}`
  fail(
    [
      NO_NETWORK.test(output)
        ? 'The packages could not be fetched: is the network there? Once they are installed rm3 needs it no more.'
        : 'npm could not install the packages.',
      ...output.trim().split('\n').slice(-OUTPUT_LINES_MAX),
    ].join('\n  '),
  )
}

/** Packages of the lock that are not installed as it says; those of other platforms are not missed. */
export function missingPackages(withDev) {
  const wanted = readPackages('package-lock.json')
  const installed = readPackages('node_modules/.package-lock.json')
  return Object.entries(wanted)
    .filter(([path]) => path !== '')
    .filter(([, { dev, devOptional }]) => withDev || !(dev || devOptional))
    .filter(([path, { version, optional, devOptional }]) => {
      const there = installed[path]
      return there === undefined ? !(optional || devOptional) : there.version !== version
    })
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
}

function readPackages(file) {
  const url = new URL(file, packageRoot)
  return existsSync(url) ? JSON.parse(readFileSync(url, 'utf8')).packages : {}
}

/** The npm that runs us, else the one in PATH. NODE_ENV=production must not keep the compiler from being installed. */
function runNpm() {
  const npm = process.env.npm_execpath
  const [program, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  return spawnSync(program, [...first, ...NPM_ARGUMENTS], {
    cwd: fileURLToPath(packageRoot),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
