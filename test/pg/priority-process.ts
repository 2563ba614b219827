/** `priority-process URL PRIORITY`: prints the priority of the server's process of a connection that it opens at a priority of its own. */
import { getPriority, setPriority } from 'node:os'
import { openBulk } from '../../src/pg/bulk.ts'
import { one } from '../../src/pg/db.ts'
import { TEST_SITE } from '../support/database.ts'

const [url = '', priority] = process.argv.slice(2)
setPriority(Number(priority))
const { db, close } = await openBulk({ url, site: TEST_SITE })
const { pid } = await one<{ pid: number }>(db, 'select pg_backend_pid() as pid')
console.log(getPriority(pid))
await close()
