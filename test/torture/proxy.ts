import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'

/**
 * What happens to what passes: `pass`; `lose-answer`: a request goes through, then the connection is cut before the answer; `cut`:
 * reset at the next request; `silent`: nothing goes either way and nobody is told; `refuse`: new connections are cut too.
 */
export type ProxyMode = 'pass' | 'lose-answer' | 'cut' | 'silent' | 'refuse'

/** A TCP proxy before PostgreSQL that loses connections. */
export class LossyProxy {
  readonly port: number
  /** Connections cut so far. */
  cuts = 0
  #mode: ProxyMode = 'pass'
  /** Cuts to come before the mode goes back to `pass`. */
  #left = Infinity
  readonly #server: Server
  readonly #pairs = new Set<[Socket, Socket]>()

  private constructor(server: Server, target: NetConnectOpts) {
    this.#server = server
    this.port = (server.address() as { port: number }).port
    server.on('connection', client => this.#serve(client, target))
  }

  /** Listens on a free port of 127.0.0.1. */
  static async listen(target: NetConnectOpts): Promise<LossyProxy> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new LossyProxy(server, target)
  }

  /** Changes what happens to what passes from now on. @param times cuts after which all passes again */
  set(mode: ProxyMode, times = Infinity): void {
    this.#mode = mode
    this.#left = times
  }

  /** Cuts all connections now. */
  cutAll(): void {
    for (const pair of [...this.#pairs]) this.#cut(pair)
  }

  async close(): Promise<void> {
    this.cutAll()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #serve(client: Socket, target: NetConnectOpts): void {
    const server = connect(target)
    const pair: [Socket, Socket] = [client, server]
    this.#pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {}) // cut by us, or by a server that was killed
      socket.on('close', () => this.#end(pair))
    }
    if (this.#mode === 'refuse') this.#cut(pair)
    client.on('data', bytes => {
      if (this.#mode === 'cut') this.#cut(pair)
      else if (this.#mode !== 'silent') server.write(bytes)
    })
    server.on('data', bytes => {
      if (this.#mode === 'lose-answer') this.#cut(pair)
      else if (this.#mode !== 'silent') client.write(bytes)
    })
  }

  #cut(pair: [Socket, Socket]): void {
    if (!this.#pairs.has(pair)) return
    this.cuts++
    this.#left--
    if (this.#left <= 0) this.set('pass')
    // Node 20 cannot reset a socket that is shutting down: it would never close, and the process spin for ever at its exit.
    if (!pair[0].writableEnded) pair[0].resetAndDestroy()
    this.#end(pair)
  }

  #end(pair: [Socket, Socket]): void {
    this.#pairs.delete(pair)
    for (const socket of pair) socket.destroy()
  }
}

/** Where a server is that has this URL: a TCP address or a Unix socket. */
export function targetOf(url: string): NetConnectOpts {
  const { hostname, port, searchParams } = new URL(url)
  const folder = searchParams.get('host')
  if (folder?.startsWith('/')) {
    return { path: `${folder}/.s.PGSQL.${searchParams.get('port') ?? '5432'}` }
  }
  return { host: hostname, port: Number(port || 5432) }
}

/** The URL of the same database through a port of 127.0.0.1. */
export function urlThrough(port: number, url: string): string {
  const through = new URL(url)
  const user = through.username || through.searchParams.get('user') || 'postgres'
  return `postgresql://${user}@127.0.0.1:${port}${through.pathname}`
}
