import { runFront, runWorkers } from '../main.ts'
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
  summary: 'runs the workers only (none yet)',
  run: async call => {
    const { signal, say, tell } = call
    await runWorkers({ config: configOf(call), signal, say, tell })
    return null
  },
}
