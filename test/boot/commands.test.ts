import { execFile } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PACKAGE_ROOT } from '../../src/package-root.ts'
import { assert, suite } from '../harness.ts'

const { bin, version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
  bin: Record<string, string>
  version: string
}

suite('the commands of the package', test => {
  for (const [name, file] of Object.entries(bin)) {
    test(`${name} can be linked before anything is built, and runs`, async () => {
      const program = join(PACKAGE_ROOT, file)
      assert.not.match(file, /^dist/)
      accessSync(program, constants.X_OK)
      const { stdout } = await promisify(execFile)(program, ['--version'])
      assert.match(stdout, version)
    })
  }
})
