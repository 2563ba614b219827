import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { findPageAndHead } from '../../projections/pages.ts'
import type { Site } from '../commands/change.ts'

/** A server of two routes, in the place of the one that is being written. */
export interface StandIn {
  listen(port: number, host: string): Promise<number>
  close(): Promise<void>
}

/** Serves `/` and `/health/ready`. */
export function createStandIn(site: Site): StandIn {
  const server = createServer((request, response) => {
    void answer(site, request.url ?? '/', response)
  })
  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
      }),
    close: () => {
      server.closeIdleConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

async function answer(site: Site, url: string, response: ServerResponse): Promise<void> {
  if (url === '/health/ready') {
    response.end('{"ready":true}')
    return
  }
  const { page } = await findPageAndHead(site.db, 'wh')
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ path: page?.path, revisionId: page?.revisionId }))
}
