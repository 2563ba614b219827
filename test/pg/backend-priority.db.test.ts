import { execFile } from 'node:child_process'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assert, suite } from '../harness.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

const LOW = 18
/** The server of the tests is ours; where there is no /proc it is left alone. */
const USUAL = getPriority()
const EXPECTED = process.platform === 'linux' ? LOW : USUAL

suite("the priority of the server's process", test => {
  let database: TestDatabase
  test.before(async () => {
    database = await testDatabase()
  })
  test.after(() => database.drop())

  /** Of the server's process of a connection that a process of this priority opens. */
  async function priorityFrom(own: number): Promise<number> {
    const script = join(import.meta.dirname, 'priority-process.js')
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...[script, database.url, String(own)],
    ])
    return Number(stdout)
  }

  test('is that of the process that works on whole tables, where that is lower than usual', async () => {
    assert.is(await priorityFrom(LOW), EXPECTED)
  })

  test('is left alone else', async () => {
    assert.is(await priorityFrom(USUAL), USUAL)
  })
})
