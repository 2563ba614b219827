import type { FastifyInstance, FastifyReply } from 'fastify'
import { Rm3Error } from '../../errors.ts'
import { type Asset, findAsset } from '../../scheme/assets.ts'
import type { Scheme } from '../../scheme/scheme.ts'

const FOR_EVER = 'public, max-age=31536000, immutable'
const A_DAY = 'public, max-age=86400'
const OPTIONS = { config: { access: 'public' }, schema: { hide: true } } as const

/** Robots may read what everyone may, but not every page at every time there was. */
const ROBOTS = `User-agent: *
Disallow: /api/
Disallow: /$login
Disallow: /$account
Disallow: /$changes
Disallow: /*?at=
Disallow: /*&at=
Disallow: /*?revision=
Disallow: /*diff.html
Disallow: /*blame.html
`

/** The scheme's files under `/$static/<hash>/<name>`, `/favicon.ico` and `/robots.txt`. */
export function staticFiles(server: FastifyInstance, { assets }: Scheme): void {
  server.get('/$static/*', OPTIONS, async (request, reply) => {
    const [path = ''] = request.url.split('?', 1)
    const asset = findAsset(assets, path)
    if (asset === null) throw new Rm3Error('ROUTE_NOT_FOUND', 'there is nothing at this address')
    return send(reply, asset, FOR_EVER)
  })
  server.get('/favicon.ico', OPTIONS, async (_request, reply) => {
    const icon = assets.get('favicon.svg')
    if (icon === undefined) throw new Rm3Error('ROUTE_NOT_FOUND', 'there is no icon')
    return send(reply, icon, A_DAY)
  })
  server.get('/robots.txt', OPTIONS, async (_request, reply) =>
    reply
      .header('Content-Type', 'text/plain; charset=utf-8')
      .header('Cache-Control', A_DAY)
      .header('Vary', 'Accept-Encoding')
      .send(ROBOTS),
  )
}

function send(reply: FastifyReply, asset: Asset, cacheControl: string): FastifyReply {
  return reply
    .header('Content-Type', asset.mediaType)
    .header('Cache-Control', cacheControl)
    .header('Vary', 'Accept-Encoding')
    .send(asset.bytes)
}
