import type { FastifyInstance } from 'fastify'
import type { Access } from './context.ts'

/** A route of the server. */
export interface RouteEntry {
  readonly method: string
  /** With `:name` and `*`. */
  readonly url: string
  readonly access: Access
}

/** All routes, as they are added. */
export interface RouteTable {
  readonly entries: readonly RouteEntry[]
  /** The methods of routes that fit an address, sorted; [] where there is none. */
  methodsAt(url: string): string[]
}

declare module 'fastify' {
  interface FastifyInstance {
    routeTable: RouteTable
  }
}

/** Keeps all routes that are added from now on. @throws when one does not declare its right */
export function addRouteTable(server: FastifyInstance): RouteTable {
  const entries: RouteEntry[] = []
  const patterns = new Map<string, RegExp>()
  server.addHook('onRoute', ({ method, url, config }) => {
    const access = config?.access
    if (access === undefined)
      throw new Error(`the route ${String(method)} ${url} declares no right`)
    patterns.set(url, patternOf(url))
    for (const one of [method].flat()) entries.push({ method: one, url, access })
  })
  const table: RouteTable = {
    entries,
    methodsAt: url => {
      const path = url.split('?', 1)[0] ?? ''
      const fitting = entries.filter(entry => patterns.get(entry.url)?.test(path))
      return [...new Set(fitting.map(entry => entry.method))].sort()
    },
  }
  server.decorate('routeTable', table)
  return table
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map(part => {
    if (part.startsWith(':')) return '[^/]+'
    return part === '*' ? '.*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
