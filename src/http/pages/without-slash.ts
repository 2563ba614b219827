import type { FastifyInstance, RouteShorthandOptions } from 'fastify'

/** Sends those who ask for a place of the site without the slash that its URL ends with to the URL, with their query. */
export function withoutSlash(
  server: FastifyInstance,
  url: string,
  route: RouteShorthandOptions,
): void {
  const slashless = url.slice(0, -1)
  server.get(slashless, route, async (request, reply) =>
    reply.redirect(request.url.replace(slashless, url), 308),
  )
}
