import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/package-root.ts'
import { assert, suite } from '../harness.ts'

/** What each faulty file must come out as: tests passed and failed. */
const EXPECTED: Record<string, [passed: number, failed: number]> = {
  'after-hook': [1, 1],
  'before-hook': [0, 2],
  crash: [0, 1],
  'early-exit': [0, 2],
  empty: [0, 1],
  'error-with-details': [1, 1],
  'late-rejection': [1, 1],
  'no-harness': [0, 1],
  'thrown-null': [1, 1],
}
/** Files that have nothing to test on a bare machine, and what they must say. */
const LEFT_OUT = {
  'backup/legacy/fixtures.test.js': 'skipped: fixtures of rm3 0.x: there is no /nothing',
  'http/html-backup.db.test.js': 'skipped: a loaded backup in a browser: there is no /nothing',
  'http/html-browser.db.test.js': 'skipped: pages in a browser: there is no chromium here',
  'scheme/browser.test.js': 'skipped: scheme in a browser: there is no chromium here',
}
const PROGRAM = `
  const { runFile } = await import(process.argv[1])
  console.log(JSON.stringify(await runFile(process.argv[2], process.env)))`

suite('the test runner', test => {
  for (const [name, [passed, failed]] of Object.entries(EXPECTED)) {
    test(`counts ${passed} passed and ${failed} failed for ${name}`, () => {
      const result = run(`fixtures/runner/${name}.faulty.js`)

      assert.equal([result.passed, result.failed], [passed, failed])
    })
  }

  test('tells which tests were left out and why', () => {
    const { skips } = run('fixtures/runner/thrown-null.faulty.js')

    assert.equal(skips, ['skipped: thrown-null: is left out: it is for show'])
  })

  test('passes on a machine with neither a browser nor the real backups', () => {
    const bare = { ...process.env, RM3_TEST_CHROMIUM: '/nothing', RM3_TEST_DATA: '/nothing' }
    for (const [file, skip] of Object.entries(LEFT_OUT)) {
      const { failed, skips, trouble } = run(file, bare)

      assert.equal({ failed, skips, trouble }, { failed: 0, skips: [skip], trouble: null })
    }
  })
})

function run(
  file: string,
  env = process.env,
): { passed: number; failed: number; skips: string[]; trouble: string | null } {
  const runner = join(PACKAGE_ROOT, 'src/boot/test-process.mjs')
  const options = ['--input-type=module', '-e', PROGRAM, runner, file]
  return JSON.parse(execFileSync(process.execPath, options, { encoding: 'utf8', env }))
}
