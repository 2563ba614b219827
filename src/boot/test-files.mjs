/** Which test files to run, the slowest of last time first, so that none is waited for alone at the end. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { packageRoot } from './package-root.mjs'

const CACHE_FOLDER = new URL('node_modules/.cache/', packageRoot)
const CACHE = new URL('rm3-test-durations.json', CACHE_FOLDER)
const NEEDS_MORE = /\.(db|e2e|browser)\.test\.js$/

/**
 * Compiled test files by path below dist/test/.
 *
 * @param {string[]} names a file's path must contain one of them; [] = all
 * @param {boolean} isPure without those that need PostgreSQL or a browser
 */
export function chooseFiles(names, isPure) {
  const wanted = names.map(name => name.replace(/^(dist\/)?test\//, '').replace(/\.[tj]s$/, ''))
  const durations = readDurations()
  const msOf = file => durations[file] ?? Number.POSITIVE_INFINITY
  return readdirSync(new URL('dist/test/', packageRoot), { recursive: true })
    .filter(file => file.endsWith('.test.js'))
    .filter(file => !isPure || !NEEDS_MORE.test(file))
    .filter(file => wanted.length === 0 || wanted.some(name => file.includes(name)))
    .sort((a, b) => (msOf(a) === msOf(b) ? a.localeCompare(b) : msOf(b) - msOf(a)))
}

/** Keeps how long each file took, in milliseconds by path. */
export function rememberDurations(durations) {
  mkdirSync(CACHE_FOLDER, { recursive: true })
  writeFileSync(CACHE, JSON.stringify({ ...readDurations(), ...durations }))
}

function readDurations() {
  try {
    return JSON.parse(readFileSync(CACHE, 'utf8'))
  } catch {
    return {} // a cache: the first run has none
  }
}
