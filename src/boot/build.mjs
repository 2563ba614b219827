/** Compiles to dist/ when the sources have changed; run as a program (`npm run build`), from nothing. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, say } from './fail.mjs'
import { packageRoot } from './package-root.mjs'

const ROOT = fileURLToPath(packageRoot)
const FOLDERS = ['src', 'projections', 'workers', 'test', 'bench']
const STAMP = join(ROOT, 'dist/.built-from')
const COMPILED = /\.(d\.ts|js|js\.map)$/

/** Whether dist/ was made from the sources as they are. A package without sources is never stale. */
export function isStale() {
  const sources = sourceFiles()
  if (sources.length === 0) return false
  return !existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== digest(sources)
}

/** Compiles when that is needed, and removes what deleted sources have left. Ends the process when a type is wrong. */
export function buildWhenStale() {
  if (!isStale()) return
  say('Building …')
  build()
}

function build() {
  const sources = sourceFiles()
  const made = digest(sources)
  rmSync(STAMP, { force: true })
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { status, error } = spawnSync(process.execPath, [compiler], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) fail(`The build failed${error ? `: ${error.message}` : ''}.`)
  removeOrphans(new Set(sources))
  writeFileSync(STAMP, made)
}

function digest(sources) {
  const hash = createHash('sha256')
  for (const file of [...sources, 'tsconfig.json', 'package-lock.json']) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

function sourceFiles() {
  return FOLDERS.flatMap(folder => filesIn(folder))
    .filter(file => file.endsWith('.ts'))
    .sort()
}

function removeOrphans(sources) {
  for (const file of FOLDERS.flatMap(folder => filesIn(join('dist', folder)))) {
    const source = file.replace(/^dist\//, '').replace(COMPILED, '.ts')
    if (COMPILED.test(file) && !sources.has(source)) rmSync(join(ROOT, file))
  }
}

/** Paths from the root of all files below a folder; none when it is not there. */
function filesIn(folder) {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(ROOT.length))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
  build()
}
