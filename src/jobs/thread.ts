/** The entry of every worker's thread. It sends bree's `done` when all it opened is closed: bree ends a thread at that word, at once. */
import { parentPort, workerData } from 'node:worker_threads'
import { isRm3Error } from '../errors.ts'
import { BEAT_MS, type ThreadMessage, type ThreadTask } from './messages.ts'
import { Failed, perform } from './perform.ts'
import { ProgramFailed } from './run-program.ts'

const { task } = workerData as { task: ThreadTask }
const stop = new AbortController()
const post = (message: ThreadMessage | 'done') => parentPort?.postMessage(message)

parentPort?.on('message', message => {
  if (message === 'cancel') stop.abort(new Error('the run was told to stop'))
})
post({ type: 'beat' })
const beat = setInterval(() => post({ type: 'beat' }), BEAT_MS)
try {
  const report = await perform(task, stop.signal, post)
  post({ type: 'ended', report })
} catch (thrown) {
  const { cause, position } = thrown instanceof Failed ? thrown : { cause: thrown, position: null }
  post({ type: 'failed', error: textOf(cause), position, lost: isRm3Error(cause, 'LEASE_LOST') })
}
clearInterval(beat)
post('done')

function textOf(thrown: unknown): string {
  if (isRm3Error(thrown)) return `${thrown.message} (${thrown.code})`
  if (thrown instanceof ProgramFailed) return thrown.message
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
}
