import { openBlobStore } from './blobs/store.ts'
import type { Config } from './config.ts'
import { makeDemo } from './demo/make-demo.ts'
import { demandFreePort, listenError } from './free-port.ts'
import { buildServer } from './http/server.ts'
import { readHead } from './log/read.ts'
import { openDatabase } from './open-database.ts'
import type { OpenSite } from './open-site.ts'
import { startWorkers, within } from './run-workers.ts'
import { serveSite } from './serve-site.ts'

/** How the web server is run. */
export interface FrontOptions {
  readonly config: Config
  /** Put the demonstration site into an empty log. */
  readonly demo: boolean
  /** Ends the server when aborted. */
  readonly signal: AbortSignal
  /** A line about what goes on. */
  readonly say: (line: string) => void
  /** A line of what was asked for: where the site is and how to log in. */
  readonly tell: (line: string) => void
}

/** Requests under way get this long to end. */
const GRACE_MS = 30_000

/**
 * The web server of a site, from nothing to the end: the database, the schema, the demonstration site, the port. Fulfils once
 * it has been told to stop and everything that it started has ended.
 *
 * @throws PORT_IN_USE before anything is started, DATABASE_NOT_FOUND, DISK_FULL, CONFIG_INVALID, what `openSite` throws
 */
export async function runFront(options: FrontOptions): Promise<void> {
  const { config, signal, say } = options
  for (const warning of config.warnings) say(warning)
  await demandFreePort(config.listenHost, config.listenPort)
  const database = await openDatabase(config, { lifetime: 'server', say })
  try {
    signal.throwIfAborted()
    await serveFrom(database.url, options)
  } finally {
    await database.stop()
  }
}

async function serveFrom(url: string, options: FrontOptions): Promise<void> {
  const { config, say, signal, demo, tell } = options
  let { listenPort: port } = config
  await serveSite({ url, config, signal, say }, async (opened, until, isFirst) => {
    signal.throwIfAborted()
    const blobs = await openBlobStore(config.publicBlobsFolder)
    const made = demo && isFirst ? await makeDemo(opened.site, blobs) : null
    const isEmpty = (await readHead(opened.site.db)).position === 0
    const work = config.workersDisabled ? null : await startWorkers(opened, { config, url, say })
    const place = { host: config.listenHost, port }
    await serve(opened, { config, say, signal: until, place }, bound => {
      port = bound
      if (isFirst) greet({ ...place, port }, { made, isEmpty }, tell)
    }).finally(() => work?.stop())
  })
}

interface Place {
  readonly host: string
  /** 0 is any. */
  readonly port: number
}

function greet(
  place: Place,
  { made, isEmpty }: { made: Awaited<ReturnType<typeof makeDemo>>; isEmpty: boolean },
  tell: FrontOptions['tell'],
): void {
  tell(`rm3 is at ${addressOf(place)}`)
  if (made !== null) {
    tell(`It shows a demonstration site. Log in as ${made.user} with the password`)
    tell(`  ${made.password}`)
    tell('which is shown this once (npx rm3admin passwd admin makes another).')
  }
  if (isEmpty) {
    tell(
      'It is empty: npx rm3load brings in a backup or a git history; npx rm3admin adduser makes a user, assign and permit give',
    )
    tell('roles and rights. docs/reference/cli.md tells all of it.')
  }
  tell('Ctrl-C stops it.')
}

async function serve(
  { site, wakeups, appends }: OpenSite,
  {
    config,
    signal,
    say,
    place: { host, port },
  }: Pick<FrontOptions, 'config' | 'signal' | 'say'> & { place: Place },
  ready: (port: number) => void,
): Promise<void> {
  const { trustProxy, httpsChecksDisabled, sessionSecret, logLevel } = config
  const { publicBlobsFolder, privateBlobsFolder } = config
  const logStream = { write: (line: string) => say(line.trimEnd()) }
  const options = {
    ...{ trustProxy, httpsChecksDisabled, sessionSecret, logLevel, logStream },
    ...{ publicBlobsFolder, privateBlobsFolder },
  }
  const server = buildServer({ site, wakeups, appends, options })
  await server.listen({ host, port }).catch(thrown => {
    throw listenError(thrown, host, port)
  })
  const [bound] = server.addresses()
  ready(typeof bound === 'object' ? bound.port : port)
  await aborted(signal)
  server.drain.begun = true
  await within(GRACE_MS, server.close())
  server.server.closeAllConnections() // who has not ended by now is cut off
}

function addressOf({ host, port }: Place): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
