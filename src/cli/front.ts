import { runFront } from '../main.ts'
import { runWorkers } from '../run-workers.ts'
import type { Command } from './command.ts'
import { configOf } from './open.ts'

/** `rm3front`: the web server. */
export const front: Command = {
  name: 'rm3front',
  summary: 'serves the site',
  options: {
    'no-demo': { summary: 'leaves an empty site empty, without the demonstration' },
  },
  details: `Listens on RM3_LISTEN_HOST:RM3_LISTEN_PORT. Without RM3_PG it starts a PostgreSQL of its own below RM3_DATA.
SIGINT and SIGTERM end it once the requests under way are answered (at most 30 s), with exit code 0.`,
  run: async call => {
    const { signal, say, tell } = call
    await runFront({ config: configOf(call), demo: !call.flag('no-demo'), signal, say, tell })
    return null
  },
}

/** `rm3wf`: the workers, without the web server. */
export const workers: Command = {
  name: 'rm3wf',
  summary: 'runs the workers only',
  details: `As many of them, and of rm3front, as you like: a run that is due is made by one of them. rm3front runs the workers
too, unless RM3_WF_DISABLE is set. SIGINT and SIGTERM end it in some seconds, with exit code 0; what was under way is done by
another, or when one is started again.`,
  run: async call => {
    const { signal, say, tell } = call
    await runWorkers({ config: configOf(call), signal, say, tell })
    return null
  },
}
