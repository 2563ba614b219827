import { createServer } from 'node:net'
import { Rm3Error } from './errors.ts'

/**
 * Whether a server could listen there, found out by trying, so that it is known before a database is started for it.
 *
 * @param port 0 is always free
 * @throws PORT_IN_USE, CONFIG_INVALID when the address is none of this machine or the port needs rights we do not have
 */
export async function demandFreePort(host: string, port: number): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, resolve)
    })
  } catch (thrown) {
    throw listenError(thrown, host, port)
  }
  await new Promise(resolve => server.close(resolve))
}

/** What a server that cannot listen tells the operator. */
export function listenError(thrown: unknown, host: string, port: number): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null
  if (code === 'EADDRINUSE') {
    return new Rm3Error(
      'PORT_IN_USE',
      `another program listens on ${host}:${port}: stop it, or set RM3_LISTEN_PORT to another port`,
      { host, port, cause: thrown },
    )
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new Rm3Error(
      'CONFIG_INVALID',
      code === 'EACCES'
        ? `port ${port} needs rights that this user has not: set RM3_LISTEN_PORT to one above 1023`
        : `${host} is no address of this machine: set RM3_LISTEN_HOST to one`,
      { host, port, cause: thrown },
    )
  }
  return thrown
}
