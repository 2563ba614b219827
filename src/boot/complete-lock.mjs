/**
 * Adds to package-lock.json the optional packages of other platforms that the registry in use does not serve.
 *
 * `npm ci` refuses a lock without them, and npm leaves them out when it makes the lock. An entry without `integrity` is
 * skipped where the platform differs, and fetched by its exact version where it fits. Run by `npm run lock`
 * after `npm install PACKAGE`; `test/package.test.ts` fails when it was forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { packageRoot } from './package-root.mjs'

const OS = /(?:^|[-/])(aix|android|darwin|freebsd|linux|netbsd|openbsd|sunos|win32)(?:-|$)/
const CPU = /-(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)(?:-|$)/

const file = new URL('package-lock.json', packageRoot)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const added = []

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    if (lock.packages[key] !== undefined) continue
    lock.packages[key] = entryFor(name, version, parent.dev)
    added.push(name)
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
)
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(added.length === 0 ? 'package-lock.json was complete' : `added ${added.join(', ')}`)

function entryFor(name, version, dev) {
  const os = name.match(OS)?.[1]
  const cpu = name.match(CPU)?.[1]
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
    throw new Error(`cannot tell the platform or version of ${name}@${version}`)
  }
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev: true } : {}),
    ...(name.endsWith('-musl') ? { libc: ['musl'] } : {}),
    optional: true,
    os: [os],
  }
}
