import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { COMMON_OPTIONS } from '../../src/cli/command.ts'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { PROGRAMS } from '../../src/cli/rm3-verbs.ts'
import { PACKAGE_ROOT } from '../../src/package-root.ts'
import { assert, suite } from '../harness.ts'
import { referenceOf } from './reference.ts'

const text = readFileSync(join(PACKAGE_ROOT, 'docs/reference/cli.md'), 'utf8')
const packageJson = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
  bin: Record<string, string>
}

suite('docs/reference/cli.md', test => {
  for (const section of PROGRAMS.flatMap(referenceOf)) {
    test(`says what is defined of ${section.slice(0, section.indexOf('\n'))}`, () => {
      assert.ok(text.includes(section), `docs/reference/cli.md lacks:\n${section}`)
    })
  }

  test('tells of no command that is not there', () => {
    const told = text.match(/^#{2,3} `.*`$/gm) ?? []
    const known = PROGRAMS.flatMap(referenceOf).map(section => section.split('\n')[0])

    assert.equal(
      told.filter(heading => !known.includes(heading)),
      [],
    )
  })

  test('tells of the common options and every exit code', () => {
    for (const name of Object.keys(COMMON_OPTIONS)) assert.ok(text.includes(`--${name}`), name)
    for (const code of Object.values(EXIT)) assert.match(text, new RegExp(`^\\| ${code} \\|`, 'm'))
  })

  test('tells of every program that is installed', () => {
    for (const name of Object.keys(packageJson.bin)) assert.ok(text.includes(`\`${name}`), name)
  })
})
