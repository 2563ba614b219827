import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../src/package-root.ts'
import { assert, suite } from './harness.ts'

type Entry = { optionalDependencies?: Record<string, string> }

const read = (name: string) => JSON.parse(readFileSync(join(PACKAGE_ROOT, name), 'utf8'))
const lock = read('package-lock.json') as { packages: Record<string, Entry> }

suite('package', test => {
  test('the lock names the packages of every platform, or npm ci refuses it (npm run lock)', () => {
    const missing = Object.values(lock.packages)
      .flatMap(entry => Object.keys(entry.optionalDependencies ?? {}))
      .filter(name => lock.packages[`node_modules/${name}`] === undefined)

    assert.equal(missing, [])
  })

  test('npm start hands signals on: the shell that npm starts must not stand between', () => {
    assert.match(read('package.json').scripts.start, /^exec node /)
  })

  test('PostgreSQL comes in one exact version for every platform', () => {
    const versions = new Set(Object.values(read('package.json').optionalDependencies))

    assert.is(versions.size, 1)
    assert.match([...versions].join(), /^\d+\.\d+\.\d+-beta\.\d+$/)
  })
})
